namespace ReplicatedSqlite.Sqlite;

/// <summary>The bounds of a group of writes.</summary>
public sealed record GroupWriterOptions
{
    /// <summary>Most members of one group.</summary>
    public int MaxMembers { get; init; } = 128;

    /// <summary>A member that ran this long closes its group: those behind it should not wait for more like it.</summary>
    public TimeSpan SlowMember { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Results of this many bytes close a group, since they are held in memory until it is confirmed.</summary>
    public long FullResultBytes { get; init; } = 16 * 1024 * 1024;
}
