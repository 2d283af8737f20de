using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Counts how often this process has recorded one of its metrics.</summary>
internal sealed class MeasurementCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count; // by Interlocked

    private MeasurementCounter(string meter, string name)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meter && instrument.Name == name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref _count));
        _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Interlocked.Increment(ref _count));
        _listener.Start();
    }

    public long Count => Interlocked.Read(ref _count);

    /// <summary>The groups that primaries have written: each is one entry of its log.</summary>
    public static MeasurementCounter OfGroups() => new("ReplicatedSqlite.Primary", "replicatedsqlite.writer_queue_wait");

    /// <summary>The replicas that were built from a snapshot.</summary>
    public static MeasurementCounter OfSnapshots() => new("ReplicatedSqlite.Replica", "replicatedsqlite.replica_snapshots");

    public void Dispose() => _listener.Dispose();
}
