using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What both kinds of links share: they connect, and connect again after a pause that grows from 20 ms to 1 s.</summary>
internal abstract class FollowerLink : IFollowerLink
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _disposing = new();
    private readonly IFollowerEvents _events;
    private readonly TimeProvider _time;
    private Task _running = Task.CompletedTask;
    private volatile LinkOutbox? _outbox; // of the stream that is there

    protected FollowerLink(Guid member, DatabaseId database, Promise promise, IFollowerEvents events, TimeProvider time)
    {
        (Member, Database, Promise) = (member, database, promise);
        _events = events;
        _time = time;
    }

    public Guid Member { get; }

    protected DatabaseId Database { get; }

    protected Promise Promise { get; }

    public void Start() => _running = Task.Run(() => RunAsync(_disposing.Token));

    public bool TrySend(LeaderMessage message) => _outbox is { } outbox && outbox.TryAdd(message);

    public async ValueTask ReleaseAsync()
    {
        if (_outbox is { } outbox)
        {
            outbox.Release();
            try
            {
                await outbox.Emptied.WaitAsync(_longestPause, _time);
            }
            catch (TimeoutException)
            {
                // It will look like a loss, which costs a candidate a question.
            }
        }

        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disposing.IsCancellationRequested)
        {
            await _disposing.CancelAsync();
        }

        await _running;
        _disposing.Dispose();
    }

    /// <summary>Connects, calls <see cref="Connected"/>, and serves the stream until it ends.</summary>
    /// <returns>Why it ended.</returns>
    protected abstract Task<string> ServeAsync(CancellationToken cancellationToken);

    /// <summary>A stream is there.</summary>
    protected void Connected(LinkOutbox outbox)
    {
        _outbox = outbox;
        _events.Connected(Member);
    }

    protected void Received(FollowerMessage message) => _events.Received(Member, message);

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = _firstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            string reason;
            try
            {
                reason = await ServeAsync(cancellationToken);
            }
            catch (Exception e) when (e is RpcException or RequestException or OperationCanceledException or TimeoutException or FormatException or Journal.EntryFormatException)
            {
                reason = e.Message;
            }

            if (_outbox is { } outbox)
            {
                _outbox = null;
                outbox.End();
                _events.Disconnected(Member, reason);
            }

            pause = _time.GetElapsedTime(started) > _longestPause ? _firstPause : pause * 2 < _longestPause ? pause * 2 : _longestPause;
            try
            {
                await Task.Delay(pause, _time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
