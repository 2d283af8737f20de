using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Ends a call to a primary that hangs, once somebody else leads: its node is silent, and the control plane names another or does not know the node any more.</summary>
/// <remarks>
/// A node that is only slow keeps its calls: as long as nobody else leads there is nowhere to go. One that answers again is waited for until it falls silent the next time. Costs nothing
/// until the node is silent.
/// </remarks>
public sealed class PrimaryWatch : IDisposable
{
    private static readonly TimeSpan _lookEvery = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _cut;
    private readonly IControlPlane _control;
    private readonly INodeSilence _reach;
    private readonly NodeRecord _primary;
    private readonly DatabaseId _database;
    private readonly TimeProvider _time;
    private CancellationTokenRegistration _silence; // under _gate, as the next
    private bool _isOver;
    private volatile bool _isCut;

    internal PrimaryWatch(IControlPlane control, INodeSilence reach, NodeRecord primary, DatabaseId database, TimeProvider time, CancellationToken cancellationToken)
    {
        _control = control;
        _reach = reach;
        _primary = primary;
        _database = database;
        _time = time;
        _cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Listen();
    }

    /// <summary>For the call.</summary>
    public CancellationToken Token => _cut.Token;

    /// <summary>The call was ended because its primary is gone.</summary>
    public bool IsCut => _isCut;

    /// <inheritdoc/>
    public void Dispose()
    {
        CancellationTokenRegistration silence;
        lock (_gate)
        {
            _isOver = true;
            silence = _silence;
        }

        silence.Unregister(); // not Dispose: it would wait for a callback that may be ending this very call
        _cut.Dispose();
    }

    private void Listen()
    {
        var silence = _reach.SilenceOf(_primary.Id).UnsafeRegister(static state => _ = ((PrimaryWatch)state!).LookAsync(), this);
        lock (_gate)
        {
            if (!_isOver)
            {
                _silence = silence;
                return;
            }
        }

        silence.Unregister();
    }

    // Ends with the call: cut, answered, or with a node that answers again.
    private async Task LookAsync()
    {
        await Task.Yield(); // out of the one who cancelled
        var wasSilent = false;
        while (true)
        {
            var isSilent = _reach.IsSilent(_primary.Id);
            var isAlive = _control.Nodes.Any(node => node.Id == _primary.Id); // nobody pings a node that is not: it is as silent as it was
            if (isAlive && !isSilent)
            {
                break;
            }

            wasSilent |= isSilent;
            if (_control.Find(_database)?.PrimaryNode != _primary.Id || (!isAlive && wasSilent))
            {
                Cut();
                return;
            }

            await Task.Delay(_lookEvery, _time);
            lock (_gate)
            {
                if (_isOver)
                {
                    return;
                }
            }
        }

        Listen();
    }

    private void Cut()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _isCut = true;
                _ = _cut.CancelAsync(); // its callbacks may dispose this
            }
        }
    }
}
