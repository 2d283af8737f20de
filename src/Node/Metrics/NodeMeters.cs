using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Node;

/// <summary>Makes the meters of one node: several nodes may share a process, and each shows its own figures only.</summary>
internal sealed class NodeMeters : IMeterFactory
{
    private readonly Lock _gate = new();
    private readonly List<Meter> _meters = []; // under _gate

    public Meter Create(MeterOptions options)
    {
        options.Scope = this; // by which a collector knows them
        var meter = new Meter(options);
        lock (_gate)
        {
            _meters.Add(meter);
        }

        return meter;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _meters.ForEach(static meter => meter.Dispose());
            _meters.Clear();
        }
    }
}
