using System.Threading.Channels;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Follower;

/// <summary>What a leader has said and its stream has not taken yet. Beyond its bound, which a leader's window keeps far from, the stream is given up.</summary>
/// <remarks>
/// Nobody waits for a follower's mark, so under load only the newest one goes, every few milliseconds, behind entries that came later. Whatever is not an entry finds the
/// marks before it said.
/// <para>
/// Whoever adds a message to an idle stream sends it too, as far as that does not wait: a hop to another thread would cost more than the sending. So the sender, between
/// two of its waits, runs under this lock, and must call nobody who could be adding.
/// </para>
/// </remarks>
internal sealed class LinkOutbox
{
    private const int MaxMessages = 8_192;
    private const long MaxBytes = 64 << 20;
    private static readonly TimeSpan _betweenMarks = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new(); // the leader's thread and the timer; guards the marks, and the order of what is taken in
    private readonly CancellationTokenSource _giveUp;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private Mark? _held; // the newest one, until the timer
    private long _markedAt;
    private bool _isWaiting; // the timer runs

    private readonly Channel<LeaderMessage> _messages = Channel.CreateBounded<LeaderMessage>(
        new BoundedChannelOptions(MaxMessages) { SingleReader = true, AllowSynchronousContinuations = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytes; // by Interlocked

    /// <param name="giveUp">Ends the stream.</param>
    /// <param name="time">Between marks.</param>
    public LinkOutbox(CancellationTokenSource giveUp, TimeProvider time)
    {
        _giveUp = giveUp;
        _time = time;
        _markedAt = time.GetTimestamp() - time.TimestampFrequency; // long ago
        _timer = time.CreateTimer(static outbox => ((LinkOutbox)outbox!).SayHeld(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Completes when the stream is gone.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The leader releases the follower: nothing follows, and the stream says so.</summary>
    public bool IsReleased { get; private set; }

    public void Add(LeaderMessage message)
    {
        lock (_gate)
        {
            if (message is Mark mark && MustWait())
            {
                _held = mark;
                return;
            }

            if (message is not (Append or AppendPart))
            {
                FlushHeld();
            }

            Put(message);
        }
    }

    /// <summary>The stream takes nothing any more: it is ended.</summary>
    public void GiveUp()
    {
        if (!_messages.Writer.TryComplete())
        {
            return; // nothing is taken any more
        }

        try
        {
            _ = _giveUp.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself at the same moment.
        }
    }

    /// <summary>Nothing follows; what is there is still sent.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            FlushHeld();
            _messages.Writer.TryComplete();
        }
    }

    public void Release()
    {
        IsReleased = true;
        Complete();
    }

    /// <summary>The stream is gone.</summary>
    public void End()
    {
        _messages.Writer.TryComplete();
        _timer.Dispose();
        _ended.TrySetResult();
    }

    /// <summary>The next message; entries that wait in several are put together.</summary>
    /// <returns><see langword="null"/> at the end.</returns>
    public async ValueTask<LeaderMessage?> TakeAsync(CancellationToken cancellationToken)
    {
        if (!await _messages.Reader.WaitToReadAsync(cancellationToken) || !_messages.Reader.TryRead(out var message))
        {
            return null;
        }

        long bytes = SizeOf(message);
        if (message is Append { Entries.IsEmpty: false } append)
        {
            while (_messages.Reader.TryPeek(out var next) && next is Append { Entries.IsEmpty: false } more && more.Promise == append.Promise
                && more.Previous == append.Entries[^1].End && bytes + SizeOf(more) <= FollowerWire.TargetBytes && _messages.Reader.TryRead(out _))
            {
                bytes += SizeOf(more);
                append = append with { Entries = append.Entries.AddRange(more.Entries) };
            }

            message = append;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return message;
    }

    private bool MustWait()
    {
        if (_isWaiting)
        {
            return true;
        }

        var passed = _time.GetElapsedTime(_markedAt);
        if (passed >= _betweenMarks)
        {
            _markedAt = _time.GetTimestamp();
            return false;
        }

        _isWaiting = true;
        _timer.Change(_betweenMarks - passed, Timeout.InfiniteTimeSpan);
        return true;
    }

    private void SayHeld()
    {
        lock (_gate)
        {
            _isWaiting = false;
            FlushHeld();
        }
    }

    // Under the lock.
    private void FlushHeld()
    {
        if (_held is { } mark)
        {
            _held = null;
            _markedAt = _time.GetTimestamp();
            Put(mark);
        }
    }

    private void Put(LeaderMessage message)
    {
        var bytes = SizeOf(message);
        var before = Interlocked.Add(ref _bytes, bytes) - bytes;
        if ((before == 0 || before + bytes <= MaxBytes) && _messages.Writer.TryWrite(message))
        {
            return;
        }

        GiveUp();
    }

    private static long SizeOf(LeaderMessage message) => message switch
    {
        Append append => append.Entries.Sum(static entry => (long)entry.Encoded.Length),
        _ => 0, // a part's bytes are a stretch of one entry that is kept whole anyway
    };
}
