using System.Diagnostics.Metrics;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Router;

/// <summary>What a node's query service measures.</summary>
public sealed class RouterMetrics
{
    /// <summary>Names the meter.</summary>
    public const string MeterName = "ReplicatedSqlite.Router";

    private readonly Histogram<double> _duration;
    private readonly Counter<long> _byDatabase;
    private readonly Counter<long> _slow;
    private readonly Counter<long> _killed;

    /// <param name="meters">Makes the node's meter; none: one of the process.</param>
    public RouterMetrics(IMeterFactory? meters = null)
    {
        var meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        _duration = meter.CreateHistogram(
            "replicatedsqlite.request_duration", "s", "Requests by method, by what answered them, and by code; from their arrival at this node to the end of their answer.", advice: MetricBuckets.Seconds);
        _byDatabase = meter.CreateCounter<long>("replicatedsqlite.database_requests", "{request}", "Requests by database.");
        _slow = meter.CreateCounter<long>("replicatedsqlite.slow_requests", "{request}", "Requests that took longer than the threshold of the slow-statement log.");
        _killed = meter.CreateCounter<long>("replicatedsqlite.killed_requests", "{request}", "Requests that an operator ended.");
    }

    /// <summary>Of those who are not observed.</summary>
    public static RouterMetrics Unobserved { get; } = new();

    internal void Answered(string method, string copy, string code, string? database, double seconds)
    {
        _duration.Record(seconds, new("method", method), new("copy", copy), new("code", code));
        if (database is not null) // a name that nobody knows must not become a label: callers could make up as many as they like
        {
            _byDatabase.Add(1, new KeyValuePair<string, object?>("database", database));
        }
    }

    internal void CountSlow() => _slow.Add(1);

    internal void CountKilled() => _killed.Add(1);
}
