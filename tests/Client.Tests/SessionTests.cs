using System.Collections.Concurrent;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Client.Tests;

public sealed class SessionTests
{
    [Theory]
    [InlineData(Session.FirstPrimary)]
    [InlineData(Session.FirstUnconstrained)]
    public async Task The_first_call_sends_the_constraint_and_later_ones_the_bookmark(string start)
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var sent = new List<string>();
        var sequence = 4ul;
        server.OnExecute = (request, _) =>
        {
            sent.Add(request.Read.Session);
            return new(Answer.Empty(++sequence));
        };
        var session = client.Database("shop").WithSession(start);
        Assert.Null(session.Bookmark);
        await session.ExecuteAsync("SELECT 1");
        await session.ExecuteAsync("SELECT 1");
        Assert.Equal([start, Answer.Bookmark(5).ToString()], sent);
        Assert.Equal(Answer.Bookmark(6), session.Bookmark);
    }

    [Fact]
    public async Task A_session_from_a_bookmark_sends_it_at_once_and_hands_it_on()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        string? sent = null;
        server.OnExecute = (request, _) =>
        {
            sent = request.Read.Session;
            return new(Answer.Empty(3)); // older than what the session holds
        };
        var session = client.Database("shop").WithSession(Answer.Bookmark(8));
        Assert.Equal(Answer.Bookmark(8), session.Bookmark);
        await session.ExecuteAsync("SELECT 1");
        Assert.Equal(Answer.Bookmark(8).ToString(), sent);
        Assert.Equal(Answer.Bookmark(8), session.Bookmark);
    }

    [Fact]
    public async Task Without_a_session_the_primary_is_asked()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        string? sent = null;
        server.OnExecute = (request, _) =>
        {
            sent = request.Read.Session;
            return new(Answer.Empty());
        };
        await client.Database("shop").ExecuteAsync("SELECT 1");
        Assert.Equal("", sent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("first")]
    [InlineData("00000001-0000000000000001-ABCDEF0100000001")]
    [InlineData("00000001-0000000000000001-abcdef01")]
    public async Task A_start_that_is_no_bookmark_is_refused_before_anything_is_sent(string start)
    {
        await using var client = new ReplicatedSqliteClient("127.0.0.1:1");
        if (start.Length == 0) Assert.Throws<ArgumentException>(() => client.Database("shop").WithSession(start));
        else Assert.Equal(ErrorCodes.BookmarkMalformed, Assert.Throws<MalformedBookmarkException>(() => client.Database("shop").WithSession(start)).Code);
    }

    [Fact]
    public async Task Answers_that_overtake_each_other_never_take_the_session_back()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var session = client.Database("shop").WithSession(Session.FirstPrimary);
        var sent = new ConcurrentQueue<(string Session, ulong Answered)>();
        var next = 0ul;
        server.OnExecute = async (request, _) =>
        {
            var sequence = Interlocked.Increment(ref next);
            await Task.Delay(TimeSpan.FromMilliseconds(sequence * 7 % 5)); // so that answers come in another order
            sent.Enqueue((request.Read.Session, sequence));
            if (sequence % 5 != 0) return Answer.Empty(sequence);
            throw new RequestException(new SqlError { Code = "SQLITE_CONSTRAINT_UNIQUE", Bookmark = Answer.Bookmark(sequence).ToString() }, "no");
        };
        var workers = Enumerable.Range(0, 16).Select(async _ =>
        {
            var last = default(Bookmark);
            for (var i = 0; i < 25; i++)
            {
                Bookmark answered;
                try
                {
                    answered = (await session.ExecuteAsync("INSERT INTO t VALUES (1)")).Bookmark;
                }
                catch (ReplicatedSqliteException e)
                {
                    answered = e.Bookmark!.Value;
                }

                var held = session.Bookmark!.Value;
                Assert.True(held >= answered, $"answered {answered}, session at {held}");
                Assert.True(held >= last, $"was at {last}, is at {held}");
                last = held;
            }
        });
        await Task.WhenAll(workers);
        Assert.Equal(400, sent.Count);
        Assert.Equal(Answer.Bookmark(400), session.Bookmark);
    }

    [Fact]
    public async Task A_higher_epoch_counts_more_than_a_higher_sequence()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var answers = new Queue<Bookmark>([Answer.Bookmark(100, epoch: 1), Answer.Bookmark(90, epoch: 2), Answer.Bookmark(101, epoch: 1)]);
        server.OnExecute = (_, _) => new(new ExecuteResponse { Bookmark = answers.Dequeue().ToString(), Results = { new Result() } });
        var session = client.Database("shop").WithSession();
        for (var i = 0; i < 3; i++) await session.ExecuteAsync("SELECT 1");
        Assert.Equal(Answer.Bookmark(90, epoch: 2), session.Bookmark);
    }

    [Fact]
    public async Task Bookmarks_of_a_streams_header_and_end_are_taken_up()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnStream = async (_, writer, _) =>
        {
            await writer.WriteAsync(Answer.Header(0, ["a"], Answer.Bookmark(5).ToString()));
            await writer.WriteAsync(Answer.Rows(0, Answer.Batch(1, [1L])));
            await writer.WriteAsync(Answer.End(0));
            await writer.WriteAsync(Answer.Done(6));
        };
        var session = client.Database("shop").WithSession();
        await foreach (var row in session.StreamAsync("SELECT a FROM t")) Assert.Equal(Answer.Bookmark(5), session.Bookmark);
        Assert.Equal(Answer.Bookmark(6), session.Bookmark);
    }

    [Fact]
    public async Task An_answer_without_a_good_bookmark_is_an_error_and_not_a_success()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnExecute = (_, _) => new(new ExecuteResponse { Bookmark = "nonsense" });
        var session = client.Database("shop").WithSession();
        var e = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.ExecuteAsync("INSERT INTO t VALUES (1)"));
        Assert.Equal(CommitState.Unknown, e.CommitState);
        Assert.Null(session.Bookmark);
    }
}
