using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class ForwardTriesTests
{
    private readonly ManualTime _time = new();

    public enum Failure
    {
        NoPrimary,
        QuorumGone,
        Lost,
        Unknown,
        Constraint,
    }

    [Theory]
    [InlineData(Failure.NoPrimary, false, false, true)]
    [InlineData(Failure.NoPrimary, true, false, true)]
    [InlineData(Failure.QuorumGone, false, true, false)] // the same would say the same
    [InlineData(Failure.Lost, false, false, false)]
    [InlineData(Failure.Lost, false, true, true)]
    [InlineData(Failure.Lost, true, false, true)]
    [InlineData(Failure.Unknown, false, true, true)]
    [InlineData(Failure.Unknown, false, false, false)]
    [InlineData(Failure.Constraint, false, true, false)]
    public async Task Only_what_does_no_harm_is_tried_again(Failure failure, bool readsOnly, bool isKeyed, bool again)
    {
        var tries = new ForwardTries(_time, readsOnly, isKeyed);
        var next = tries.AgainAsync(Make(failure), isElsewhere: false, CancellationToken.None).AsTask();
        if (again)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await next;
        }
        else
        {
            var ended = await Assert.ThrowsAnyAsync<Exception>(() => next);
            var expected = failure is Failure.Lost or Failure.Unknown ? ErrorCodes.WriteOutcomeUnknown : failure == Failure.QuorumGone ? ErrorCodes.QuorumUnavailable : ErrorCodes.SqliteConstraint;
            Assert.Equal(expected, Assert.IsType<RequestException>(ended).Error.Code);
        }

        Assert.Equal(1, tries.Failed);
    }

    [Fact]
    public async Task A_lost_quorum_is_left_for_whoever_leads_by_now()
    {
        var next = new ForwardTries(_time, readsOnly: false, isKeyed: false).AgainAsync(Make(Failure.QuorumGone), isElsewhere: true, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        await next;
    }

    [Fact]
    public async Task After_a_lost_try_no_refusal_says_that_nothing_was_done()
    {
        var tries = new ForwardTries(_time, readsOnly: false, isKeyed: true);
        Assert.Equal(RequestStage.Queued, tries.Stage);
        var next = tries.AgainAsync(Make(Failure.Lost), isElsewhere: false, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        await next;
        Assert.Equal(RequestStage.Forwarded, tries.Stage); // nobody who ends it here may say so either
        var ended = await Assert.ThrowsAsync<RequestException>(() => tries.AgainAsync(Make(Failure.Constraint), isElsewhere: false, CancellationToken.None).AsTask());
        Assert.Equal((ErrorCodes.WriteOutcomeUnknown, CommitState.Unknown), (ended.Error.Code, ended.Error.CommitState));
    }

    [Fact]
    public async Task Patience_has_an_end()
    {
        var tries = new ForwardTries(_time, readsOnly: true, isKeyed: false);
        _time.Advance(TimeSpan.FromSeconds(10));
        var ended = await Assert.ThrowsAsync<RequestException>(() => tries.AgainAsync(Make(Failure.NoPrimary), isElsewhere: false, CancellationToken.None).AsTask());
        Assert.Equal(ErrorCodes.NoPrimary, ended.Error.Code);
    }

    private static Exception Make(Failure failure) => failure switch
    {
        Failure.NoPrimary => Answer(ErrorCodes.NoPrimary, CommitState.NotCommitted),
        Failure.QuorumGone => Answer(ErrorCodes.QuorumUnavailable, CommitState.NotCommitted),
        Failure.Unknown => Answer(ErrorCodes.WriteOutcomeUnknown, CommitState.Unknown),
        Failure.Constraint => Answer(ErrorCodes.SqliteConstraint, CommitState.NotCommitted),
        _ => new PrimaryLostException("n1"),
    };

    private static RpcException Answer(string code, CommitState state) =>
        new(ErrorCodes.StatusOf(code), "refused", new SqlError { Code = code, CommitState = state, StatementIndex = -1, SqlOffset = -1 });
}
