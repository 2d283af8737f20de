using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Cluster;

/// <summary>Keeps one node alive in etcd: its record under a lease, a sign of life each second, and another lease when that one ended.</summary>
internal sealed class EtcdRegistration : IAsyncDisposable
{
    private readonly EtcdSession _session;
    private readonly EtcdStore _store;
    private readonly NodeMirror _nodes;
    private readonly EtcdOptions _options;
    private readonly NodeRecord _node;
    private readonly Action _onEnd;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;
    private int _disposed; // by Interlocked
    private long? _lease; // by the loop, and by whoever disposes after it

    public EtcdRegistration(
        EtcdSession session, EtcdStore store, NodeMirror nodes, EtcdOptions options, NodeRecord node, Action onEnd, TimeProvider time, ILogger logger)
    {
        (_session, _store, _nodes, _options, _node, _onEnd, _time, _logger) = (session, store, nodes, options, node, onEnd, time, logger);
    }

    public string NodeId => _node.Id;

    /// <summary>Registers, and goes on doing so. When etcd is away, it is done as soon as it is back.</summary>
    /// <exception cref="InvalidOperationException">Another process is registered under this id, and stays.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ForgetLastAsync(cancellationToken);
            var start = _time.GetTimestamp();
            while (!await TryRegisterAsync(cancellationToken))
            {
                // A process that was killed stays for its lease; one that is alive stays longer.
                if (_time.GetElapsedTime(start) > (_options.Lease * 2) + _options.Pulse)
                {
                    throw CatalogueErrors.NodeAlive(_node.Id);
                }

                await Task.Delay(_options.Pulse / 4, _time, cancellationToken);
            }
        }
        catch (Exception e) when (e is EtcdUnavailableException or EtcdDistrustedException or EtcdRefusedException)
        {
            EtcdLog.NotRegistered(_logger, e.Message);
        }

        _loop = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _loop;
        try
        {
            if (_lease is { } lease && await _store.RevokeAsync(lease, CancellationToken.None) is { } revision)
            {
                _nodes.Remove(_node.Id, revision, isCertain: true);
            }
        }
        catch (Exception e) when (e is EtcdUnavailableException or EtcdRefusedException)
        {
            // The lease ends by itself.
        }

        _onEnd();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        string? told = null;
        while (true)
        {
            await Task.Delay(_options.Pulse, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            try
            {
                if (_lease is { } lease && !await _store.KeepAliveAsync(lease, _stopping.Token))
                {
                    EtcdLog.LeaseEnded(_logger, $"lease {lease:x}");
                    _lease = null;
                }
                else if (_lease is not null && _session.Trouble is null && _nodes.Nodes.All(node => node.Id != _node.Id))
                {
                    EtcdLog.LeaseEnded(_logger, "its record is gone");
                    _lease = null;
                }

                if (_lease is null && !await TryRegisterAsync(_stopping.Token))
                {
                    throw new EtcdDistrustedException($"Another process is registered as {_node.Id}. Two processes may be using copies of one data folder: stop one of them.");
                }

                told = null;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is EtcdUnavailableException or EtcdDistrustedException or EtcdRefusedException)
            {
                if (_lease is null && told != e.Message)
                {
                    told = e.Message;
                    EtcdLog.NotRegistered(_logger, e.Message);
                }
            }
        }
    }

    private async Task<bool> TryRegisterAsync(CancellationToken cancellationToken)
    {
        var key = _store.Keys.Node(_node.Id);
        var lease = await _store.GrantAsync(_options.Lease, cancellationToken);
        await _session.WithMemoryAsync(memory => memory.SaveLease(lease)); // before it holds the record: a process that is killed now frees it at its next start
        var outcome = await _session.CommitAsync(
            [EtcdCompare.Missing(key)], [EtcdOperation.Put(key, EtcdStore.EncodeNode(_node), lease)], [key], isOfCatalogue: false, cancellationToken);
        if (!outcome.Succeeded && outcome.Values[0]?.Lease != lease)
        {
            await _store.RevokeAsync(lease, cancellationToken);
            return false;
        }

        _lease = lease;
        _nodes.Add(_node, outcome.Revision);
        return true;
    }

    // What the process before this one held in this folder is not in the way.
    private async Task ForgetLastAsync(CancellationToken cancellationToken)
    {
        var last = await _session.WithMemoryAsync(static memory => memory.Lease);
        if (last != 0)
        {
            await _store.RevokeAsync(last, cancellationToken);
        }
    }
}
