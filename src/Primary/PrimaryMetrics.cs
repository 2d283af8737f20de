using System.Diagnostics.Metrics;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Primary;

/// <summary>What the primaries of one node measure.</summary>
public sealed class PrimaryMetrics
{
    /// <summary>Names the meter.</summary>
    public const string MeterName = "ReplicatedSqlite.Primary";

    /// <param name="meters">Makes the node's meter; none: one of the process.</param>
    public PrimaryMetrics(IMeterFactory? meters = null)
    {
        var meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        Waiting = meter.CreateUpDownCounter<int>(
            "replicatedsqlite.writer_queue_length", "{request}", "Writes and interactive transactions that wait for their database's writer.");
        QueueWait = meter.CreateHistogram(
            "replicatedsqlite.writer_queue_wait", "s", "Wait for the writer, of groups (their first member) and of interactive transactions.", advice: MetricBuckets.Seconds);
        GroupSize = meter.CreateHistogram("replicatedsqlite.write_group_size", "{request}", "Writes that were committed together.", advice: MetricBuckets.Counts);
        QuorumWait = meter.CreateHistogram(
            "replicatedsqlite.quorum_wait", "s", "From the local commit of a group to its confirmation by a quorum of followers.", advice: MetricBuckets.Seconds);
        OpenTransactions = meter.CreateUpDownCounter<int>("replicatedsqlite.transactions_open", "{transaction}", "Interactive transactions that hold a writer.");
        WalRestartPause = meter.CreateHistogram(
            "replicatedsqlite.primary_wal_restart_pause", "s", "How long writes were held back for a restart of a primary's WAL.", advice: MetricBuckets.Seconds);
        Checkpoints = meter.CreateCounter<long>("replicatedsqlite.primary_checkpoints", "{checkpoint}", "Checkpoints of primaries, by result.");
        Leaderships = meter.CreateCounter<long>("replicatedsqlite.leaderships_begun", "{leadership}", "Epochs that this node began to lead, or went on with.");
        LostLeaderships = meter.CreateCounter<long>("replicatedsqlite.leaderships_ended", "{leadership}", "Leaderships that ended here, by reason.");
        QuorumLosses = meter.CreateCounter<long>("replicatedsqlite.quorum_losses", "{loss}", "How often too few followers answered a primary of this node.");
        CatchUps = meter.CreateCounter<long>("replicatedsqlite.catch_ups", "{subscription}", "Replicas that subscribed, by what they were sent first: the log, or a snapshot.");
    }

    /// <summary>Of those who are not observed.</summary>
    public static PrimaryMetrics Unobserved { get; } = new();

    internal UpDownCounter<int> Waiting { get; }

    internal Histogram<double> QueueWait { get; }

    internal Histogram<int> GroupSize { get; }

    internal Histogram<double> QuorumWait { get; }

    internal UpDownCounter<int> OpenTransactions { get; }

    internal Histogram<double> WalRestartPause { get; }

    internal Counter<long> Checkpoints { get; }

    internal Counter<long> Leaderships { get; }

    internal Counter<long> LostLeaderships { get; }

    internal Counter<long> QuorumLosses { get; }

    internal Counter<long> CatchUps { get; }
}
