using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Counts the groups that the primaries of this process have written: each is one entry of its log.</summary>
internal sealed class GroupCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count; // by Interlocked

    public GroupCounter()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "ReplicatedSqlite.Primary", Name: "replicatedsqlite.writer_queue_wait" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref _count)); // one a group
        _listener.Start();
    }

    public long Count => Interlocked.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}
