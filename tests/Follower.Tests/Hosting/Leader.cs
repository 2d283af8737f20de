using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

/// <summary>A leader that keeps what it hears and can wait for it.</summary>
internal sealed class Leader : IFollowerObserver
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private readonly Lock _gate = new();
    private readonly List<object> _heard = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IFollowerLink Link { get; set; } = null!;

    public static Leader Connect(IFollowerLinks links, Guid member, Promise promise, DatabaseId? database = null)
    {
        var leader = new Leader();
        leader.Link = links.Open(database ?? Database, member, promise, leader);
        return leader;
    }

    public void Connected() => Add("connected");

    public void Disconnected(string reason) => Add($"disconnected: {reason}");

    public void Received(FollowerMessage message) => Add(message);

    /// <summary>Waits for something that was not waited for before, and forgets what came before it.</summary>
    public async Task<T> HearAsync<T>(Func<T, bool>? wanted = null)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                var at = _heard.FindIndex(heard => heard is T found && (wanted is null || wanted(found)));
                if (at >= 0)
                {
                    var found = (T)_heard[at];
                    _heard.RemoveRange(0, at + 1);
                    return found;
                }

                if (_more.Task.IsCompleted)
                {
                    _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                more = _more.Task;
            }

            try
            {
                await more.WaitAsync(_limit);
            }
            catch (TimeoutException)
            {
                lock (_gate)
                {
                    Assert.Fail($"No {typeof(T).Name} came. Heard: {string.Join("; ", _heard)}");
                }
            }
        }
    }

    public Task HearConnectedAsync() => HearAsync<string>(text => text == "connected");

    public Task<string> HearDisconnectedAsync() => HearAsync<string>(text => text.StartsWith("disconnected", StringComparison.Ordinal));

    public Task HearAckAsync(Promise promise, Position position) => HearAsync<Acked>(acked => acked == new Acked(promise, position));

    private void Add(object heard)
    {
        lock (_gate)
        {
            _heard.Add(heard);
            _more.TrySetResult();
        }
    }
}
