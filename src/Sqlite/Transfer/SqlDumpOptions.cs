namespace ReplicatedSqlite.Sqlite;

/// <summary>What a dump holds.</summary>
public sealed record SqlDumpOptions
{
    /// <summary>Only these tables, with their indexes, triggers and rows; empty: everything.</summary>
    public IReadOnlyCollection<string> Tables { get; init; } = [];

    /// <summary>Without what makes the tables.</summary>
    public bool OmitSchema { get; init; }

    /// <summary>Without their rows.</summary>
    public bool OmitData { get; init; }

    /// <summary>Without BEGIN and COMMIT around it, as D1's dumps are: whoever runs it sees to the transaction.</summary>
    public bool OmitTransaction { get; init; }
}
