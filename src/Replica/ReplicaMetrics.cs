using System.Diagnostics.Metrics;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Replica;

/// <summary>What the replicas of one node measure.</summary>
public sealed class ReplicaMetrics
{
    /// <summary>Names the meter.</summary>
    public const string MeterName = "ReplicatedSqlite.Replica";

    /// <param name="meters">Makes the node's meter; none: one of the process.</param>
    public ReplicaMetrics(IMeterFactory? meters = null)
    {
        var meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        ConfirmLag = meter.CreateHistogram(
            "replicatedsqlite.confirm_lag",
            "s",
            "From the primary's confirmation to visibility for this replica's readers; between machines by half the measured round trip, on one machine by its clock.",
            advice: MetricBuckets.Seconds);
        HeldReads = meter.CreateUpDownCounter<int>("replicatedsqlite.reads_held", "{request}", "Reads that wait until a replica here has reached their bookmark.");
        BookmarkWait = meter.CreateHistogram(
            "replicatedsqlite.bookmark_wait", "s", "Wait for a bookmark, of the reads that had to wait at all.", advice: MetricBuckets.Seconds);
        BookmarkTimeouts = meter.CreateCounter<long>("replicatedsqlite.bookmark_timeouts", "{request}", "Reads whose bookmark was not reached in time; most of them went on to the primary.");
        WalRestartPause = meter.CreateHistogram(
            "replicatedsqlite.replica_wal_restart_pause", "s", "How long reads were held back for a restart of a replica's WAL.", advice: MetricBuckets.Seconds);
        LostStreams = meter.CreateCounter<long>("replicatedsqlite.replica_streams_lost", "{stream}", "Streams from a primary that ended; the replica subscribes again.");
        Snapshots = meter.CreateCounter<long>("replicatedsqlite.replica_snapshots", "{snapshot}", "Replicas that were built from a snapshot.");
        Rebuilds = meter.CreateCounter<long>("replicatedsqlite.replica_rebuilds", "{rebuild}", "Copies that were thrown away because of damage or divergence, by reason.");
    }

    /// <summary>Of those who are not observed.</summary>
    public static ReplicaMetrics Unobserved { get; } = new();

    internal Histogram<double> ConfirmLag { get; }

    internal UpDownCounter<int> HeldReads { get; }

    internal Histogram<double> BookmarkWait { get; }

    internal Counter<long> BookmarkTimeouts { get; }

    internal Histogram<double> WalRestartPause { get; }

    internal Counter<long> LostStreams { get; }

    internal Counter<long> Snapshots { get; }

    internal Counter<long> Rebuilds { get; }
}
