using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;

namespace ReplicatedSqlite.Primary;

/// <summary>What cold storage keeps of a database's record: name and settings, without what changes with each leadership.</summary>
public static class ArchivedRecord
{
    /// <summary>The record as it is stored.</summary>
    /// <param name="database">As the catalogue has it.</param>
    /// <param name="deletedAt">When it was deleted, if it was.</param>
    public static ColdRecord Of(DatabaseRecord database, DateTimeOffset? deletedAt = null)
    {
        ArgumentNullException.ThrowIfNull(database);
        var settings = database with
        {
            PrimaryNode = "", Epoch = 0, Followers = [], Quorum = 0, Revision = 0, NameRevision = 0, BeginsAt = null, AcceptsLoss = false, LeastEpoch = 0,
        };
        return new ColdRecord(database.Id.Value, database.Name, DatabaseRecordText.Encode(settings), deletedAt is { } at ? (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond : null);
    }

    /// <summary>What was stored.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is no record.</exception>
    public static ArchivedDatabase Read(ColdRecord stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        return new(
            DatabaseRecordText.Decode(stored.Settings),
            stored.DeletedAtMicroseconds is { } at ? DateTimeOffset.UnixEpoch.AddTicks(at * TimeSpan.TicksPerMicrosecond) : null);
    }
}
