namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What a machine can do at most.</summary>
[Flags]
internal enum LimitKind
{
    None = 0,

    /// <summary>4 KiB appended and synced by <c>fdatasync</c>, one process alone.</summary>
    Disk = 1,

    /// <summary>The same by three processes at once, the rate of one of them.</summary>
    Disks = 2,

    /// <summary>Single-row commits of SQLite alone, <c>synchronous=FULL</c>.</summary>
    Commits = 4,

    /// <summary>Unary calls of 64 B through our gRPC, as many callers as the scenario has.</summary>
    Echo = 8,

    /// <summary>The same by one caller.</summary>
    EchoOfOne = 16,

    /// <summary>64 B to the server's process and back on a bare socket, one caller.</summary>
    RoundTrip = 32,
}
