using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite;

/// <summary>One node: its channel, how far it is, and whether it answers. Thread-safe.</summary>
internal sealed class NodeEndpoint : IAsyncDisposable
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan _patienceWithProbe = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly HungWatch? _watch;
    private readonly CancellationTokenSource _closing = new();
    private long _roundTripTicks = long.MaxValue; // unknown
    private long _pausedUntil; // a timestamp; 0: healthy
    private int _failures;
    private int _isAskedAgain;
    private Task _askingAgain = Task.CompletedTask;

    public NodeEndpoint(Uri address, ReplicatedSqliteClientOptions options, bool watch)
    {
        _time = options.Channel.TimeProvider;
        Address = address;
        Channel = new GrpcChannel(address, options.Channel);
        if (watch) _watch = new HungWatch(this, _time);
    }

    public Uri Address { get; }

    public GrpcChannel Channel { get; }

    /// <summary>Best known time for a call that does nothing.</summary>
    public long RoundTripTicks => Volatile.Read(ref _roundTripTicks);

    /// <summary>When it may be asked again after failures; 0 while it is healthy.</summary>
    public long PausedUntil => Volatile.Read(ref _pausedUntil);

    /// <summary>It has not failed, or has answered since.</summary>
    public bool IsHealthy => PausedUntil == 0;

    /// <summary>Cancelled when the node has answered nothing for a while, not even a call that does nothing.</summary>
    public CancellationToken Hung => _watch?.Hung ?? CancellationToken.None;

    /// <summary>A caller begins to wait for this node.</summary>
    public void Enter() => _watch?.Enter();

    /// <summary>It waits no more.</summary>
    public void Leave(bool answered) => _watch?.Leave(answered);

    public void Succeeded()
    {
        if (Volatile.Read(ref _pausedUntil) == 0) return;
        Volatile.Write(ref _failures, 0);
        Volatile.Write(ref _pausedUntil, 0);
    }

    /// <summary>It could not be reached: others are asked first for a while, longer each time.</summary>
    public void Failed()
    {
        if (PausedUntil > _time.GetTimestamp()) return; // one fault fails many calls
        var pause = _firstPause * Math.Pow(2, Math.Min(Interlocked.Increment(ref _failures) - 1, 6));
        if (pause > _longestPause) pause = _longestPause;
        Volatile.Write(ref _pausedUntil, _time.GetTimestamp() + (long)(pause.TotalSeconds * _time.TimestampFrequency));
    }

    /// <summary>Once its pause is over: finds out beside the calls whether it is well again, so that none of them has to wait for a node that still hangs.</summary>
    public void AskAgain(long now)
    {
        if (PausedUntil is var until && until != 0 && until <= now && Interlocked.Exchange(ref _isAskedAgain, 1) == 0) _askingAgain = AskAgainAsync();
    }

    /// <summary>Makes a call that does nothing, and takes its time.</summary>
    /// <returns>Whether the node answered, with whatever status.</returns>
    public async Task<bool> ProbeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        try
        {
            await Channel.CallAsync(AdminMethods.GetServerInfo, new Protocol.V1.GetServerInfoRequest(), new CallOptions { Timeout = timeout }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            if (e.Origin != RpcFailureOrigin.Server || e.StatusCode == StatusCode.Unavailable)
            {
                Failed();
                return false;
            }
        }

        Succeeded();
        Measured(_time.GetElapsedTime(started));
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        await _closing.CancelAsync().ConfigureAwait(false);
        await _askingAgain.ConfigureAwait(false);
        _closing.Dispose();
        await Channel.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AskAgainAsync()
    {
        try
        {
            await ProbeAsync(_patienceWithProbe, _closing.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The client is closing.
        }
        finally
        {
            Volatile.Write(ref _isAskedAgain, 0);
        }
    }

    // A shorter time is the truer one; longer ones were spent waiting, unless they keep coming.
    private void Measured(TimeSpan time)
    {
        var known = Volatile.Read(ref _roundTripTicks);
        Volatile.Write(ref _roundTripTicks, time.Ticks < known ? time.Ticks : (long)((known * 0.8) + (time.Ticks * 0.2)));
    }
}
