using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Ends a call to a primary that hangs, once somebody else leads: its node is silent, and the control plane names another or does not know the node any more.</summary>
/// <remarks>A node that is only slow keeps its calls: as long as nobody else leads there is nowhere to go. Costs nothing until the node is silent.</remarks>
public sealed class PrimaryWatch : IDisposable
{
    private static readonly TimeSpan _lookEvery = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _cut;
    private readonly TimeProvider _time;
    private readonly IControlPlane _control;
    private readonly NodeReach _reach;
    private readonly NodeRecord _primary;
    private readonly DatabaseId _database;
    private readonly CancellationTokenRegistration _silence;
    private volatile bool _isOver; // written under _gate
    private volatile bool _isCut;

    internal PrimaryWatch(IControlPlane control, NodeReach reach, NodeRecord primary, DatabaseId database, TimeProvider time, CancellationToken cancellationToken)
    {
        _control = control;
        _reach = reach;
        _primary = primary;
        _database = database;
        _time = time;
        _cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _silence = reach.SilenceOf(primary.Id).UnsafeRegister(static state => _ = ((PrimaryWatch)state!).LookAsync(), this);
    }

    /// <summary>For the call.</summary>
    public CancellationToken Token => _cut.Token;

    /// <summary>The call was ended because its primary is gone.</summary>
    public bool IsCut => _isCut;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        _silence.Unregister(); // not Dispose: it would wait for a callback that may be ending this very call
        _cut.Dispose();
    }

    private async Task LookAsync()
    {
        await Task.Yield(); // out of the one who cancelled
        while (!_isOver)
        {
            if (_control.Find(_database)?.PrimaryNode != _primary.Id || _control.Nodes.All(node => node.Id != _primary.Id))
            {
                Cut();
                return;
            }

            await Task.Delay(_lookEvery, _time);
        }
    }

    private void Cut()
    {
        lock (_gate)
        {
            if (!_isOver && _reach.IsSilent(_primary.Id))
            {
                _isCut = true;
                _ = _cut.CancelAsync(); // its callbacks may dispose this
            }
        }
    }
}
