namespace ReplicatedSqlite.Cli;

/// <summary>A file that cannot be sent as it is; nothing of what it names was done.</summary>
internal sealed class LoadException(string message, int position) : Exception(message)
{
    /// <summary>Where in the source.</summary>
    public int Position { get; } = position;
}
