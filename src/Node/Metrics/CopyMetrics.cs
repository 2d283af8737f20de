using System.Diagnostics.Metrics;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Figures of single databases: of those whose copies are active here, at most so many of them. The others are summed up under the name <c>other</c>, or left out where a sum means nothing.</summary>
internal sealed class CopyMetrics(IControlPlane control, GrainDirectory<IDatabaseCopy> primaries, GrainDirectory<IDatabaseCopy> replicas)
{
    /// <summary>Databases with a label of their own; those with most in their WAL come first.</summary>
    public const int MaxDatabases = 100;

    public void Add(Meter meter)
    {
        meter.CreateObservableGauge("replicatedsqlite.wal_size", () => Sums(static copy => copy.WalBytes), "By", "WAL of the copies that are active here, by database.");
        meter.CreateObservableGauge("replicatedsqlite.database_size", () => Sums(static copy => copy.SizeBytes, static copy => copy.IsPrimary), "By", "Size of the databases led here.");
        meter.CreateObservableGauge(
            "replicatedsqlite.unconfirmed", () => Sums(static copy => copy.UnconfirmedBytes, static copy => copy.IsPrimary), "By", "Committed here and not yet confirmed by a quorum, by database.");
        meter.CreateObservableGauge(
            "replicatedsqlite.unconfirmed_entries", () => Sums(static copy => copy.UnconfirmedEntries, static copy => copy.IsPrimary), "{entry}", "The same in entries of the log.");
        meter.CreateObservableGauge("replicatedsqlite.epoch", () => Each(static copy => copy.Visible.Epoch), "{epoch}", "The epoch of what is visible at the copies here, by database.");
        meter.CreateObservableGauge("replicatedsqlite.visible_sequence", () => Each(static copy => copy.Visible.Sequence), "{write}", "The newest write that is visible at the copies here, by database.");
        meter.CreateObservableGauge(
            "replicatedsqlite.replica_lag", () => Each(static copy => copy.IsPrimary ? null : copy.ConfirmLagMs / 1000), "s", "Confirm lag of the newest write that a replica here has shown, by database.");
        meter.CreateObservableGauge(
            "replicatedsqlite.replica_staleness",
            () => Each(static copy => copy.Staleness?.TotalSeconds),
            "s",
            "How long ago a replica here knew its primary to be the primary, by database: grows while it is cut off.");
    }

    private List<Measurement<double>> Sums(Func<CopyStatus, double> value, Func<CopyStatus, bool>? counts = null)
    {
        var all = Look().Where(copy => counts?.Invoke(copy.Status) ?? true).ToList();
        var shown = all.Take(MaxDatabases).Select(copy => Measurement(copy, value(copy.Status))).ToList();
        if (all.Count > MaxDatabases)
        {
            shown.Add(new(all.Skip(MaxDatabases).Sum(copy => value(copy.Status)), new("database", "other"), new("role", "other")));
        }

        return shown;
    }

    private List<Measurement<double>> Each(Func<CopyStatus, double?> value) =>
        [.. Look().Where(copy => value(copy.Status) is not null).Take(MaxDatabases).Select(copy => Measurement(copy, value(copy.Status)!.Value))];

    private static Measurement<double> Measurement((string Name, CopyStatus Status) copy, double value) =>
        new(value, new("database", copy.Name), new("role", copy.Status.IsPrimary ? "primary" : "replica"));

    private IOrderedEnumerable<(string Name, CopyStatus Status)> Look() => Look(primaries).Concat(Look(replicas))
        .OrderByDescending(static copy => copy.Status.WalBytes).ThenBy(static copy => copy.Name, StringComparer.Ordinal);

    private IEnumerable<(string Name, CopyStatus Status)> Look(GrainDirectory<IDatabaseCopy> copies)
    {
        foreach (var id in copies.Active)
        {
            if (control.Find(id)?.Name is { } name && TryLook(copies, id) is { } status)
            {
                yield return (name, status);
            }
        }
    }

    private static CopyStatus? TryLook(GrainDirectory<IDatabaseCopy> copies, DatabaseId id)
    {
        if (copies.TryUse(id, keepsIt: false) is not { } lease)
        {
            return null;
        }

        using (lease)
        {
            try
            {
                return lease.Grain.Status;
            }
            catch (ObjectDisposedException)
            {
                return null; // its file is just being changed for another
            }
        }
    }
}
