using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>One session that goes from region to region with nothing but its bookmark.</summary>
internal sealed class HoppingSession(ClusterFixture cluster, string database, int number, int seed, HopHistory history)
{
    private const string Read = "SELECT count(*), coalesce(max(id), 0), count(*) FILTER (WHERE session = :s), coalesce(max(counter) FILTER (WHERE session = :s), 0) FROM hops";

    private readonly Random _random = new(seed);
    private Bookmark _bookmark = Bookmark.Start;
    private long _counter;
    private long _seen;

    public int Waited { get; private set; }

    public async Task HopAsync()
    {
        switch (_random.Next(10))
        {
            case < 3:
                await WriteAsync();
                break;
            case 3:
                await FailToWriteAsync();
                break;
            case 4:
                await FailToReadAsync();
                break;
        }

        await ReadAsync();
    }

    private async Task WriteAsync()
    {
        var session = Hop(out var sent, out _);
        var answer = await session.ExecuteAsync("INSERT INTO hops (session, counter) VALUES (?, ?) RETURNING id", [number, _counter + 1]);
        _counter++;
        var id = answer.First.Rows[0].GetInt64(0);
        history.Wrote(id, answer.Bookmark);
        Assert.True(answer.Bookmark > sent, $"session {number}: the write's bookmark {answer.Bookmark} is not later than {sent}.");
        Take(session, id);
    }

    // The row is the session's own, so that the write can only fail; a copy that does not know it would let it pass.
    private async Task FailToWriteAsync()
    {
        if (_counter == 0)
        {
            return;
        }

        var session = Hop(out var sent, out var who);
        var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(
            () => session.ExecuteAsync("INSERT INTO hops (session, counter) VALUES (?, ?)", [number, 1 + _random.NextInt64(_counter)]));
        Assert.Equal("SQLITE_CONSTRAINT_UNIQUE", failure.Code);
        Assert.True(failure.Bookmark >= sent, $"{who}: the error's bookmark {failure.Bookmark} is before {sent}.");
        Take(session, _seen);
    }

    // An error computed from rows: a stale copy would answer without one.
    private async Task FailToReadAsync()
    {
        if (_counter == 0)
        {
            return;
        }

        var session = Hop(out var sent, out var who);
        var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.QueryAsync(
            "SELECT json(iif(count(*) >= ?, '{no json', '{}')) FROM hops WHERE session = ?", [_counter, number]));
        Assert.Equal("SQLITE_ERROR", failure.Code);
        Assert.True(failure.Bookmark >= sent, $"{who}: the error's bookmark {failure.Bookmark} is before {sent}.");
        Take(session, _seen);
    }

    private async Task ReadAsync()
    {
        var session = Hop(out var sent, out var who);
        var parameters = SqlParameters.Named(("s", number));
        object?[] row;
        switch (_random.Next(3))
        {
            case 0:
                var answer = await session.ExecuteAsync(Read, parameters);
                Waited += answer.Served.Wait > TimeSpan.FromMilliseconds(20) ? 1 : 0;
                row = answer.First.Rows[0].ToArray();
                break;
            case 1:
                var both = await session.BatchAsync([new(Read, parameters), new(Read, parameters)]);
                row = both.Results[0].Rows[0].ToArray();
                Assert.Equal(row, both.Results[1].Rows[0].ToArray()); // one transaction, one snapshot
                break;
            default:
                var rows = await session.StreamAsync(Read, parameters).ToListAsync();
                row = rows[0].ToArray();
                break;
        }

        var (count, greatest, own, last) = ((long)row[0]!, (long)row[1]!, (long)row[2]!, (long)row[3]!);
        Assert.True(count == greatest, $"{who}: {count} rows were seen up to row {greatest}: no prefix of the log.");
        Assert.True(own == _counter && last == _counter, $"{who}: {own} own rows up to {last} were seen after {_counter} writes.");
        Assert.True(greatest >= _seen, $"{who}: row {greatest} was the last after row {_seen} had been seen.");
        history.Saw(greatest, sent, session.Bookmark!.Value, who);
        Take(session, greatest);
    }

    private Session Hop(out Bookmark sent, out string who)
    {
        var region = _random.Next(ClusterFixture.RegionCount);
        sent = _bookmark;
        who = $"session {number} in region {region}";
        return sent == Bookmark.Start ? cluster.Database(region, database).WithSession() : cluster.At(region, database, sent);
    }

    private void Take(Session session, long seen)
    {
        var bookmark = session.Bookmark!.Value;
        Assert.True(bookmark >= _bookmark, $"session {number}: the bookmark went back from {_bookmark} to {bookmark}.");
        _bookmark = bookmark;
        _seen = Math.Max(_seen, seen);
    }
}
