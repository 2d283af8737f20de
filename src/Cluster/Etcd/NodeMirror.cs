using System.Collections.Immutable;

namespace ReplicatedSqlite.Cluster;

/// <summary>The nodes that are alive, as etcd says; the last word of it while it is away.</summary>
/// <remarks>Safe for use by any thread.</remarks>
internal sealed class NodeMirror(TimeProvider time)
{
    private readonly Lock _changing = new();
    private ImmutableArray<NodeRecord> _nodes = []; // written under _changing; read by any thread
    private long _revision; // of the last news; under _changing
    private long? _graceStart; // under _changing
    private TimeSpan _grace; // under _changing

    public ImmutableArray<NodeRecord> Nodes
    {
        get
        {
            lock (_changing)
            {
                return _nodes;
            }
        }
    }

    /// <summary>etcd is back, and may have counted the nodes out while nobody could reach it: for this long nobody is gone, so that all of them can register again.</summary>
    public void Spare(TimeSpan grace)
    {
        lock (_changing)
        {
            (_graceStart, _grace) = (time.GetTimestamp(), grace);
        }
    }

    /// <summary>All nodes, as of a revision.</summary>
    public void Set(IReadOnlyList<NodeRecord> nodes, long revision)
    {
        lock (_changing)
        {
            if (revision < _revision)
            {
                return;
            }

            _revision = revision;
            IEnumerable<NodeRecord> all = IsGrace() ? nodes.Concat(_nodes.Where(old => nodes.All(node => node.Id != old.Id))) : nodes;
            if (!_nodes.SequenceEqual(all))
            {
                _nodes = [.. all];
            }
        }
    }

    /// <summary>All nodes, of an etcd whose revisions are others, or of this node's memory.</summary>
    public void SetAnew(IReadOnlyList<NodeRecord> nodes)
    {
        lock (_changing)
        {
            _revision = 0;
        }

        Set(nodes, 0);
    }

    public void Add(NodeRecord node, long revision)
    {
        lock (_changing)
        {
            if (revision > _revision)
            {
                _revision = revision;
                var index = _nodes.IndexOf(_nodes.FirstOrDefault(old => old.Id == node.Id)!);
                _nodes = index < 0 ? _nodes.Add(node) : _nodes.SetItem(index, node);
            }
        }
    }

    public void Remove(string id, long revision, bool isCertain)
    {
        lock (_changing)
        {
            if (revision > _revision && (isCertain || !IsGrace()))
            {
                _revision = revision;
                _nodes = _nodes.RemoveAll(node => node.Id == id);
            }
        }
    }

    private bool IsGrace() => _graceStart is { } start && time.GetElapsedTime(start) < _grace;
}
