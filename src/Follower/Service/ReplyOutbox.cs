using System.Threading.Channels;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Follower;

/// <summary>Answers that wait to be sent on one stream. A leader that does not read them loses the stream.</summary>
/// <param name="ending">Cancelled when the follower ends the stream.</param>
/// <param name="sendsHere">
/// Whoever answers on an idle stream sends it too, as far as that does not wait, and under the follower's lock: only for a sender that calls nobody who could want that lock.
/// </param>
internal sealed class ReplyOutbox(CancellationTokenSource ending, bool sendsHere) : IFollowerSink
{
    private const int Capacity = 4_096;

    private readonly Channel<FollowerMessage> _messages = Channel.CreateBounded<FollowerMessage>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, AllowSynchronousContinuations = sendsHere, FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Why the stream was ended.</summary>
    public string Reason { get; private set; } = "";

    public void Reply(FollowerMessage message)
    {
        if (!_messages.Writer.TryWrite(message))
        {
            End($"{Capacity} answers wait; the leader does not read them.");
        }
    }

    public void End(string reason)
    {
        if (!_messages.Writer.TryComplete())
        {
            return;
        }

        Reason = reason;
        try
        {
            _ = ending.CancelAsync(); // whoever waits goes on elsewhere: this is called under a lock
        }
        catch (ObjectDisposedException)
        {
            // The stream ended by itself at the same moment.
        }
    }

    /// <summary>The next answer; of several acknowledgements that wait only the newest. <see langword="null"/> at the end.</summary>
    public async ValueTask<FollowerMessage?> TakeAsync(CancellationToken cancellationToken)
    {
        var reader = _messages.Reader;
        while (await reader.WaitToReadAsync(cancellationToken))
        {
            while (reader.TryRead(out var message))
            {
                if (message is not Acked acked || !reader.TryPeek(out var next) || next is not Acked newer || newer.Promise != acked.Promise)
                {
                    return message;
                }
            }
        }

        return null;
    }
}
