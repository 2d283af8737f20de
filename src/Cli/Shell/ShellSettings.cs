namespace ReplicatedSqlite.Cli;

/// <summary>What dot commands change.</summary>
internal sealed class ShellSettings
{
    public OutputMode Mode { get; set; }

    public bool Headers { get; set; } = true;

    /// <summary>Tells how long each script took.</summary>
    public bool Timer { get; set; }

    /// <summary>Exactly this state is read; null: the session's.</summary>
    public Bookmark? AsOf { get; init; }

    /// <summary>Longest run of one script's SQL; null: the server's default.</summary>
    public TimeSpan? SqlTimeout { get; init; }
}
