using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Bookmarks that nobody was given: refused by name, or answered right, and never waited for beyond the limit.</summary>
public sealed class BookmarkFuzzTests(FuzzCluster fuzz) : IClassFixture<FuzzCluster>
{
    private const string Letters = "0123456789abcdef-ABCDEFg \u00e9";
    private static readonly TimeSpan _wait = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task Random_and_damaged_bookmarks_are_refused_or_answered_in_time()
    {
        var seed = Dose.Seed();
        var random = new Random(seed);
        var answered = 0;
        for (var i = 0; i < Dose.Of(300, 20_000); i++)
        {
            var now = (i % 50) == 0 ? (await fuzz.Cluster.Database(0, FuzzCluster.Name).ExecuteAsync("INSERT INTO f (a) VALUES (1)")).Bookmark : await fuzz.Cluster.Client(0).Admin.GetBookmarkAsync(FuzzCluster.Name);
            var session = Make(random, now);
            var request = new ExecuteRequest
            {
                Database = FuzzCluster.Name,
                Statements = { new Statement { Sql = random.Next(4) == 0 ? "UPDATE f SET a = 2 WHERE id = 1 RETURNING 'kept'" : "SELECT x FROM standard" } },
                Read = new ReadOptions { Session = session, WaitTimeout = Duration.FromTimeSpan(_wait), OnWaitTimeout = (Protocol.V1.OnWaitTimeout)random.Next(3) },
            };
            var started = TimeProvider.System.GetTimestamp();
            var origin = $"seed {seed}, request {i}, session '{session}'";
            if (await fuzz.SendAsync(random.Next(3), request, origin) is { } answer)
            {
                // It can only have been a bookmark of this database that was passed long ago: the answer is at or after it.
                answered++;
                Assert.True(Bookmark.TryParse(session, out var wanted) || session.Length == 0, $"{origin} was taken for one.");
                Assert.True(session.Length == 0 || (Bookmark.Parse(answer.Bookmark).Epoch, Bookmark.Parse(answer.Bookmark).Sequence).CompareTo((wanted.Epoch, wanted.Sequence)) >= 0, $"{origin} was answered at {answer.Bookmark}.");
                Assert.True(answer.Results[0].Rows.RowCount <= 1, origin);
            }

            var took = TimeProvider.System.GetElapsedTime(started);
            Assert.True(took < _wait + Eventually.Patience / 4, $"{origin} took {took}.");
        }

        Assert.True(answered > 0, "None was answered.");
        await fuzz.IsWholeAsync($"seed {seed}");
    }

    private static string Make(Random random, Bookmark now)
    {
        var text = random.Next(6) switch
        {
            0 => string.Concat(Enumerable.Range(0, 42).Select(_ => Letters[random.Next(Letters.Length)])),
            1 => new Bookmark((uint)random.NextInt64(uint.MaxValue), (ulong)random.NextInt64(), (ulong)random.NextInt64()).ToString(),
            2 => (now with { Sequence = now.Sequence + (ulong)random.Next(-5, 5) }).ToString(),
            3 => (now with { Epoch = now.Epoch + (uint)random.Next(-1, 2), Tag = now.Tag ^ (1UL << random.Next(64)) }).ToString(),
            _ => now.ToString(),
        };
        var letters = text.ToCharArray();
        for (var i = random.Next(3); i > 0; i--)
        {
            letters[random.Next(letters.Length)] = Letters[random.Next(Letters.Length)];
        }

        text = new string(letters);
        return random.Next(10) switch
        {
            0 => text[..random.Next(text.Length)],
            1 => text + Letters[random.Next(Letters.Length)],
            _ => text,
        };
    }
}
