using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Primary;

/// <summary>What the primaries of this process measure.</summary>
internal static class PrimaryMetrics
{
    private static readonly Meter _meter = new("ReplicatedSqlite.Primary");

    /// <summary>Writes and transactions that wait for a writer.</summary>
    public static readonly UpDownCounter<int> Waiting = _meter.CreateUpDownCounter<int>(
        "replicatedsqlite.writer_queue_length", "{request}", "Writes and interactive transactions that wait for their database's writer.");

    /// <summary>How long they waited.</summary>
    public static readonly Histogram<double> QueueWait = _meter.CreateHistogram<double>(
        "replicatedsqlite.writer_queue_wait", "ms", "Wait for the writer, of groups (their first member) and of interactive transactions.");

    /// <summary>Interactive transactions that hold a writer now.</summary>
    public static readonly UpDownCounter<int> OpenTransactions = _meter.CreateUpDownCounter<int>(
        "replicatedsqlite.transactions_open", "{transaction}", "Interactive transactions that hold a writer.");
}
