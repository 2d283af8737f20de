using System.Collections.Concurrent;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Clients that write rows without end, each under an idempotency key, and repeat a write until it is answered.</summary>
internal sealed class KeyedWriters : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, bool> _answered = new();
    private readonly Lock _gate = new();
    private readonly Task[] _writing;
    private long _lastAnswerAt = TimeProvider.System.GetTimestamp(); // under _gate
    private TimeSpan _longestPause; // under _gate

    public KeyedWriters(ClusterFixture cluster, string database, int[] from)
        : this(cluster.Channel, database, from)
    {
    }

    /// <param name="channelTo">The way to a node by its number, asked for before each try.</param>
    /// <param name="database">Into it.</param>
    /// <param name="from">One writer each, through the node of that number.</param>
    public KeyedWriters(Func<int, GrpcChannel> channelTo, string database, int[] from) =>
        _writing = [.. from.Select((region, number) => Task.Run(() => WriteAsync(channelTo, database, region, number)))];

    /// <summary>The longest time in which none of the writers was answered, since this was asked last.</summary>
    public TimeSpan TakeLongestPause()
    {
        lock (_gate)
        {
            var longest = _longestPause;
            _longestPause = TimeSpan.Zero;
            return longest;
        }
    }

    /// <summary>How many writes were answered.</summary>
    public int Answered => _answered.Count;

    /// <summary>Why a try failed last.</summary>
    public string? LastRefusal { get; private set; }

    /// <summary>Of the answered writes; each is the row's own text too.</summary>
    public IEnumerable<string> Keys => _answered.Keys;

    /// <summary>Waits until so many are answered.</summary>
    public Task UntilAsync(int count) => Eventually.TrueAsync(
        () => Answered >= count || _writing.Any(static writing => writing.IsFaulted) ? Task.FromResult(Answered >= count) : Task.FromResult(false), $"{count} writes are answered");

    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_writing).InTimeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task WriteAsync(Func<int, GrpcChannel> channelTo, string database, int region, int number)
    {
        for (var i = 0; !_stopping.IsCancellationRequested; i++)
        {
            var key = $"w{number}-{i:d6}";
            var request = new ExecuteRequest { Database = database, IdempotencyKey = key, Statements = { new Statement { Sql = $"INSERT INTO t (key) VALUES ('{key}')" } } };
            for (var tries = 0; !_stopping.IsCancellationRequested; tries++)
            {
                try
                {
                    var answer = await channelTo(region).CallAsync(QueryMethods.Execute, request.Clone(), new CallOptions { Timeout = TimeSpan.FromSeconds(10) });
                    Assert.NotEmpty(answer.Bookmark);
                    _answered[key] = true;
                    Note();
                    break;
                }
                catch (RpcException refused) when (refused.FindDetail<SqlError>() is null or
                    { Code: ErrorCodes.NoPrimary or ErrorCodes.QuorumUnavailable or ErrorCodes.WriteOutcomeUnknown or ErrorCodes.CopyStale or ErrorCodes.Overloaded })
                {
                    LastRefusal = refused.Message;
                    await Task.Delay(20);
                }
            }
        }
    }

    private void Note()
    {
        lock (_gate)
        {
            var now = TimeProvider.System.GetTimestamp();
            var pause = TimeProvider.System.GetElapsedTime(_lastAnswerAt, now);
            _longestPause = pause > _longestPause ? pause : _longestPause;
            _lastAnswerAt = now;
        }
    }
}
