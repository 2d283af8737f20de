using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ReplicatedSqlite.Replica;

/// <summary>Holds back what a replica receives by a fixed time, in order: for demonstrations and tests of a far region.</summary>
internal static class DelayLine
{
    // What is held here has not been reported to the sender, so its window bounds the bytes; this bounds the messages.
    private const int MaxMessages = 65_536;

    /// <summary>The same messages, each late by <paramref name="delay"/>. None: the source itself.</summary>
    public static IAsyncEnumerable<T> DelayBy<T>(this IAsyncEnumerable<T> source, TimeSpan delay, TimeProvider time, CancellationToken cancellationToken) =>
        delay <= TimeSpan.Zero ? source : RunAsync(source, delay, time, cancellationToken);

    private static async IAsyncEnumerable<T> RunAsync<T>(
        IAsyncEnumerable<T> source, TimeSpan delay, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var line = Channel.CreateBounded<(long Arrived, T Message)>(new BoundedChannelOptions(MaxMessages) { SingleReader = true, SingleWriter = true });
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var filling = FillAsync(source, line.Writer, time, stopping.Token);
        try
        {
            await foreach (var (arrived, message) in line.Reader.ReadAllAsync(cancellationToken))
            {
                var rest = delay - time.GetElapsedTime(arrived);
                if (rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest, time, cancellationToken);
                }

                yield return message;
            }
        }
        finally
        {
            await stopping.CancelAsync();
            await filling;
        }
    }

    private static async Task FillAsync<T>(
        IAsyncEnumerable<T> source, ChannelWriter<(long Arrived, T Message)> line, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in source.WithCancellation(cancellationToken))
            {
                await line.WriteAsync((time.GetTimestamp(), message), cancellationToken);
            }

            line.Complete();
        }
        catch (Exception e)
        {
            line.Complete(e); // the reader throws it when it gets there
        }
    }
}
