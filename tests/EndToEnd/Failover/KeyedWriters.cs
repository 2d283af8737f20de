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
    private readonly Task[] _writing;

    public KeyedWriters(ClusterFixture cluster, string database, int[] from) =>
        _writing = [.. from.Select((region, number) => Task.Run(() => WriteAsync(cluster, database, region, number)))];

    /// <summary>How many writes were answered.</summary>
    public int Answered => _answered.Count;

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

    private async Task WriteAsync(ClusterFixture cluster, string database, int region, int number)
    {
        for (var i = 0; !_stopping.IsCancellationRequested; i++)
        {
            var key = $"w{number}-{i:d6}";
            var request = new ExecuteRequest { Database = database, IdempotencyKey = key, Statements = { new Statement { Sql = $"INSERT INTO t (key) VALUES ('{key}')" } } };
            for (var tries = 0; !_stopping.IsCancellationRequested; tries++)
            {
                try
                {
                    var answer = await cluster.Channel(region).CallAsync(QueryMethods.Execute, request.Clone(), new CallOptions { Timeout = TimeSpan.FromSeconds(10) });
                    Assert.NotEmpty(answer.Bookmark);
                    _answered[key] = true;
                    break;
                }
                catch (RpcException refused) when (refused.FindDetail<SqlError>() is null or
                    { Code: ErrorCodes.NoPrimary or ErrorCodes.QuorumUnavailable or ErrorCodes.WriteOutcomeUnknown or ErrorCodes.CopyStale or ErrorCodes.Overloaded })
                {
                    await Task.Delay(20);
                }
            }
        }
    }
}
