using System.Threading.Channels;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Follower;

/// <summary>What a leader has said and its stream has not taken yet. Beyond its bound, which a leader's window keeps far from, the stream is given up.</summary>
/// <param name="giveUp">Ends the stream.</param>
internal sealed class LinkOutbox(CancellationTokenSource giveUp)
{
    private const int MaxMessages = 8_192;
    private const long MaxBytes = 64 << 20;

    private readonly Channel<LeaderMessage> _messages = Channel.CreateBounded<LeaderMessage>(
        new BoundedChannelOptions(MaxMessages) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytes; // by Interlocked

    /// <summary>Completes when the stream is gone.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The leader releases the follower: nothing follows, and the stream says so.</summary>
    public bool IsReleased { get; private set; }

    public void Add(LeaderMessage message)
    {
        var bytes = SizeOf(message);
        var before = Interlocked.Add(ref _bytes, bytes) - bytes;
        if ((before == 0 || before + bytes <= MaxBytes) && _messages.Writer.TryWrite(message))
        {
            return;
        }

        GiveUp();
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
            _ = giveUp.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself at the same moment.
        }
    }

    /// <summary>Nothing follows; what is there is still sent.</summary>
    public void Complete() => _messages.Writer.TryComplete();

    public void Release()
    {
        IsReleased = true;
        _messages.Writer.TryComplete();
    }

    /// <summary>The stream is gone.</summary>
    public void End()
    {
        _messages.Writer.TryComplete();
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

    private static long SizeOf(LeaderMessage message) => message switch
    {
        Append append => append.Entries.Sum(static entry => (long)entry.Encoded.Length),
        AppendPart part => part.Bytes.Length,
        _ => 0,
    };
}
