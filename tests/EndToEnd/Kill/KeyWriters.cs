using System.Collections.Concurrent;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Writers with unique keys in a table without a unique index, and readers beside them: what was answered, what failed, what was seen.</summary>
internal sealed class KeyWriters
{
    public const string Schema = "CREATE TABLE kv (batch TEXT NOT NULL, part INTEGER NOT NULL, filler BLOB)";
    private const int LargeBatch = 20; // about half a megabyte, so that checkpoints and restarts of the WAL are under way at some of the kills

    private readonly ConcurrentDictionary<string, (int Parts, Bookmark Bookmark)> _answered = new();
    private readonly ConcurrentDictionary<string, int> _unknown = new();
    private readonly ConcurrentBag<string> _refused = [];
    private readonly ConcurrentDictionary<string, string> _seen = new();

    public int Answered => _answered.Count;

    /// <summary>Some bookmarks that were given out, the newest among them.</summary>
    public IEnumerable<Bookmark> Bookmarks => _answered.Values.Select(answer => answer.Bookmark).Order().Where((_, i) => i % 97 == 0).Append(_answered.Values.Max(answer => answer.Bookmark));

    /// <summary>Writes and reads until the cluster is gone.</summary>
    public async Task RunAsync(IReadOnlyList<ReplicatedSqliteClient> clients, int round, int seed, CancellationToken stop)
    {
        var tasks = Enumerable.Range(0, 6).Select(writer => WriteAsync(clients, $"{round}-{writer}", new Random(seed + writer), stop))
            .Concat(clients.Select((client, region) => ReadAsync(client, region, stop)));
        await Task.WhenAll(tasks);
    }

    /// <summary>Compares with what one region shows.</summary>
    /// <param name="rows">By batch, the number of rows and of different parts.</param>
    /// <param name="who">The region.</param>
    public void Check(IReadOnlyDictionary<string, (long Rows, long Parts)> rows, string who)
    {
        foreach (var (batch, (parts, bookmark)) in _answered)
        {
            Assert.True(rows.TryGetValue(batch, out var found), $"{who}: the write {batch} was answered with {bookmark}, and is gone.");
            Assert.True(found == (parts, parts), $"{who}: the write {batch} of {parts} rows is there with {found.Rows} rows, {found.Parts} of them different.");
        }

        foreach (var (batch, parts) in _unknown)
        {
            Assert.True(!rows.TryGetValue(batch, out var found) || found == (parts, parts), $"{who}: the write {batch} of {parts} rows is there in part or twice: {found}.");
        }

        Assert.All(_refused, batch => Assert.False(rows.ContainsKey(batch), $"{who}: {batch} was refused with nothing done, and is there."));
        Assert.All(_seen, seen => Assert.True(rows.ContainsKey(seen.Key), $"{who}: {seen.Key} was shown by {seen.Value} before, and is gone: it was not confirmed."));
        Assert.Equal(rows.Count, rows.Keys.Count(batch => _answered.ContainsKey(batch) || _unknown.ContainsKey(batch)));
    }

    private async Task WriteAsync(IReadOnlyList<ReplicatedSqliteClient> clients, string writer, Random random, CancellationToken stop)
    {
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            var batch = $"{writer}-{n}";
            var parts = random.Next(10) == 0 ? LargeBatch : 1;
            var database = clients[random.Next(clients.Count)].Database("kv");
            try
            {
                var statements = Enumerable.Range(0, parts).Select(part => new SqlStatement(
                    "INSERT INTO kv VALUES (?, ?, zeroblob(?))", [batch, part, parts == 1 ? 10 : random.Next(50_000)]));
                var answer = await database.BatchAsync(statements, new QueryOptions { CallTimeout = TimeSpan.FromSeconds(20) }, CancellationToken.None);
                _answered[batch] = (parts, answer.Bookmark);
            }
            catch (ReplicatedSqliteException e) when (e.CommitState == CommitState.NotCommitted)
            {
                _refused.Add(batch);
                await Task.Delay(5, CancellationToken.None);
            }
            catch (ReplicatedSqliteException)
            {
                _unknown[batch] = parts;
            }
        }
    }

    private async Task ReadAsync(ReplicatedSqliteClient client, int region, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var session = client.Database("kv").WithSession(Session.FirstUnconstrained);
                var newest = await session.QueryAsync("SELECT batch FROM kv ORDER BY rowid DESC LIMIT 5", null, null, CancellationToken.None);
                foreach (var row in newest.Rows)
                {
                    _seen.TryAdd(row.GetString(0), $"region {region} at {session.Bookmark}");
                }
            }
            catch (ReplicatedSqliteException)
            {
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }
}
