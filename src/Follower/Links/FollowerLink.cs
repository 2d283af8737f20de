using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What both kinds of links share: they connect, and connect again after a pause that grows from 20 ms to 1 s.</summary>
internal abstract class FollowerLink : IFollowerLink
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _disposing = new();
    private readonly IFollowerObserver _observer;
    private readonly TimeProvider _time;
    private Task _running = Task.CompletedTask;
    private volatile LinkOutbox? _outbox; // of the stream that is there
    private int _isEnding; // by Interlocked

    protected FollowerLink(Guid member, DatabaseId database, Promise promise, IFollowerObserver observer, TimeProvider time)
    {
        (Member, Database, Promise) = (member, database, promise);
        _observer = observer;
        _time = time;
    }

    protected Guid Member { get; }

    protected DatabaseId Database { get; }

    protected Promise Promise { get; }

    public void Start() => _running = Task.Run(() => RunAsync(_disposing.Token));

    public void Send(LeaderMessage message) => _outbox?.Add(message);

    public void Reconnect() => _outbox?.GiveUp();

    public void Release() => _outbox?.Release();

    public async Task<ImmutableArray<Entry>> ReadAsync(Position after, Position to, int maxBytes, CancellationToken cancellationToken)
    {
        var read = await ReadAsync(after, maxBytes, cancellationToken);
        return read.Outcome switch
        {
            FollowerReadOutcome.Read => [.. read.Entries.TakeWhile(entry => entry.End <= to)],
            FollowerReadOutcome.Trimmed => throw new JournalTrimmedException(Database, after, read.First),
            _ => throw new RequestException(ErrorCodes.QuorumUnavailable, $"The follower with journal {Member} gave no entries behind {after}: {read.Detail}"),
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isEnding, 1) != 0)
        {
            await _running;
            return;
        }

        if (_outbox is { } outbox)
        {
            outbox.Complete();
            try
            {
                await outbox.Ended.WaitAsync(_longestPause, _time); // behind what was sent
            }
            catch (TimeoutException)
            {
                // Who does not take it for so long is left.
            }
        }

        await _disposing.CancelAsync();
        await _running;
        _disposing.Dispose();
    }

    /// <summary>Connects, calls <see cref="Connected"/>, and serves the stream until it ends.</summary>
    /// <returns>Why it ended.</returns>
    protected abstract Task<string> ServeAsync(CancellationToken cancellationToken);

    protected abstract Task<FollowerRead> ReadAsync(Position after, long maxBytes, CancellationToken cancellationToken);

    /// <summary>A stream is there.</summary>
    protected void Connected(LinkOutbox outbox)
    {
        _outbox = outbox;
        if (Volatile.Read(ref _isEnding) == 0)
        {
            _observer.Connected();
        }
        else
        {
            outbox.Complete();
        }
    }

    protected void Received(FollowerMessage message)
    {
        if (Volatile.Read(ref _isEnding) == 0)
        {
            _observer.Received(message);
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = _firstPause;
        while (Volatile.Read(ref _isEnding) == 0)
        {
            var started = _time.GetTimestamp();
            string reason;
            try
            {
                reason = await ServeAsync(cancellationToken);
            }
            catch (Exception e) when (e is RpcException or RequestException or OperationCanceledException or TimeoutException or FormatException or EntryFormatException)
            {
                reason = e.Message;
            }

            if (_outbox is { } outbox)
            {
                _outbox = null;
                outbox.End();
                if (Volatile.Read(ref _isEnding) == 0)
                {
                    _observer.Disconnected(reason);
                }
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
