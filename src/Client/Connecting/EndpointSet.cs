namespace ReplicatedSqlite;

/// <summary>The nodes that a client knows, nearest and healthy ones first. Thread-safe.</summary>
internal sealed class EndpointSet : IAsyncDisposable
{
    private static readonly TimeSpan _probeEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _probePatience = TimeSpan.FromSeconds(2);

    private readonly NodeEndpoint[] _nodes; // in the order of the connection string
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private Task? _firstAnswer; // of the first round of probes, under the gate
    private Task _probes = Task.CompletedTask; // under the gate
    private long _probed; // under the gate

    public EndpointSet(IReadOnlyList<Uri> addresses, ReplicatedSqliteClientOptions options)
    {
        _time = options.Channel.TimeProvider;
        _nodes = [.. addresses.Distinct().Select(address => new NodeEndpoint(address, options, watch: addresses.Count > 1))];
    }

    public int Count => _nodes.Length;

    /// <summary>Completes at once but for the first call of a client with several endpoints, which waits until it knows the nearest.</summary>
    public ValueTask ReadyAsync(CancellationToken cancellationToken)
    {
        if (_nodes.Length == 1) return ValueTask.CompletedTask;
        var now = _time.GetTimestamp();
        if (Volatile.Read(ref _probed) is var last && last != 0 && _time.GetElapsedTime(last, now) < _probeEvery && _firstAnswer is { IsCompleted: true })
            return ValueTask.CompletedTask;
        Task first;
        lock (_gate)
        {
            if (_firstAnswer is null || (_probes.IsCompleted && _time.GetElapsedTime(_probed, now) >= _probeEvery))
            {
                Volatile.Write(ref _probed, Math.Max(now, 1));
                var probes = _nodes.Select(node => node.ProbeAsync(_probePatience, _closing.Token)).ToArray();
                _probes = FinishAsync(probes);
                _firstAnswer ??= FirstAsync(probes);
            }

            first = _firstAnswer;
        }

        return first.IsCompleted ? ValueTask.CompletedTask : new ValueTask(first.WaitAsync(cancellationToken));
    }

    /// <summary>The nearest healthy node, another one than <paramref name="avoid"/> if there is any; without a healthy one, the one whose pause ends first.</summary>
    public NodeEndpoint Pick(NodeEndpoint? avoid = null)
    {
        if (_nodes.Length == 1) return _nodes[0];
        var now = _time.GetTimestamp();
        NodeEndpoint? best = null;
        foreach (var node in _nodes)
        {
            node.AskAgain(now);
            if (node != avoid && (best is null || IsBetter(node, best))) best = node;
        }

        return best!;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        Task probes;
        lock (_gate) probes = _probes;
        await probes.ConfigureAwait(false);
        foreach (var node in _nodes) await node.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    // Of nodes about as far the one that was named first: a few hundred microseconds more or less are noise.
    private static bool IsBetter(NodeEndpoint node, NodeEndpoint best)
    {
        if (node.IsHealthy != best.IsHealthy) return node.IsHealthy;
        if (!node.IsHealthy) return node.PausedUntil < best.PausedUntil;
        return node.RoundTripTicks < (best.RoundTripTicks * 0.7) - TimeSpan.TicksPerMillisecond;
    }

    private static async Task FirstAsync(Task<bool>[] probes)
    {
        var waiting = probes.ToList();
        while (waiting.Count > 0)
        {
            var first = await Task.WhenAny(waiting).ConfigureAwait(false);
            if (first.IsCompletedSuccessfully && await first.ConfigureAwait(false)) return;
            waiting.Remove(first);
        }
    }

    private static async Task FinishAsync(Task<bool>[] probes)
    {
        try
        {
            await Task.WhenAll(probes).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client is closing.
        }
    }
}
