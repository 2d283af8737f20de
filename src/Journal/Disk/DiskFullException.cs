namespace ReplicatedSqlite.Journal;

/// <summary>No room on the disk.</summary>
public sealed class DiskFullException(string path, long neededBytes) : IOException($"No room for {neededBytes} bytes at {path}.")
{
    /// <summary>How much was asked for.</summary>
    public long NeededBytes => neededBytes;
}
