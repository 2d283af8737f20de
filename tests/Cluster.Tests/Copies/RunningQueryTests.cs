using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class RunningQueryTests
{
    private static readonly RequestException _reason = new(ErrorCodes.QueryKilled, "ended");

    [Theory]
    [InlineData(RequestStage.Queued, true)]
    [InlineData(RequestStage.WaitingForBookmark, true)]
    [InlineData(RequestStage.Running, true)]
    [InlineData(RequestStage.Idle, true)]
    [InlineData(RequestStage.Forwarded, false)]
    [InlineData(RequestStage.WaitingForQuorum, false)]
    public void What_may_be_committed_is_not_ended(RequestStage stage, bool ends)
    {
        var ended = 0;
        var query = Make(() => ended++);
        query.Stage = stage;
        Assert.Equal(ends, query.Kill(_reason, out var seen));
        Assert.Equal((stage, ends ? 1 : 0), (seen, ended));
        query.Over();
        Assert.Null(query.Kill(_reason, out _));
        Assert.Equal(ends ? 1 : 0, ended);
    }

    [Fact]
    public async Task Nothing_is_passed_on_after_somebody_was_told_that_it_was_ended()
    {
        for (var round = 0; round < 500; round++)
        {
            using var end = new CancellationTokenSource();
            using var start = new Barrier(2);
            var query = Make(end.Cancel);
            var passing = Task.Run(() =>
            {
                start.SignalAndWait();
                query.Stage = RequestStage.Forwarded;
                return !end.IsCancellationRequested;
            });
            start.SignalAndWait();
            var killed = query.Kill(_reason, out _);
            Assert.NotEqual(killed, await passing);
        }
    }

    private static RunningQuery Make(Action end) => new("n1", 1, null, "Execute", [], TimeProvider.System, _ => end());
}
