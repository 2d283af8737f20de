using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>The counts that wrangler shows.</summary>
public sealed class UsageLogTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Hours_are_summed_within_the_bounds_and_by_statement()
    {
        var log = new UsageLog(_time);
        var start = _time.GetUtcNow();
        log.Add("a", "SELECT 1", Read(rows: 3));
        log.Add("a", "SELECT 1", Read(rows: 4));
        log.Add("b", "SELECT 1", Read(rows: 100));
        _time.Advance(TimeSpan.FromHours(2));
        log.Add("a", "INSERT", Written(rows: 2));
        var all = log.Sum("a", DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        Assert.Equal((2, 1, 7, 2), (all.ReadQueries, all.WriteQueries, all.RowsRead, all.RowsWritten));
        Assert.Equal((2, 1), (all.Queries["SELECT 1"].Count, all.Queries["INSERT"].Count));
        Assert.Equal(0, log.Sum("a", DateTimeOffset.MinValue, start.AddHours(1)).WriteQueries);
        Assert.Equal(0, log.Sum("unknown", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).ReadQueries);
    }

    [Fact]
    public void What_is_kept_is_bounded()
    {
        var log = new UsageLog(_time);
        for (var i = 0; i < 2000; i++) log.Add("a", $"SELECT c{i}", Read(rows: 1));
        var sum = log.Sum("a", DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        Assert.Equal(2000, sum.ReadQueries);
        Assert.Equal(500, sum.Queries.Count);
        for (var i = 0; i < 11_000; i++) log.Add($"d{i}", "SELECT 1", Read(rows: 1));
        Assert.Equal(0, log.Sum("a", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).ReadQueries);
        Assert.Equal(1, log.Sum("d10999", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).ReadQueries);
    }

    [Fact]
    public void All_databases_together_are_bounded_and_hours_that_are_over_give_back_what_they_took()
    {
        var log = new UsageLog(_time);
        var long2K = new string('x', 2000);
        for (var database = 0; database < 100; database++)
        {
            for (var i = 0; i < 500; i++) log.Add($"d{database}", $"SELECT {long2K}{i}", Read(rows: 1));
            Assert.InRange(log.Bytes, 500 * 4000, 64 << 20);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(500, log.Sum("d99", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).Queries.Count);
        Assert.Equal(0, log.Sum("d0", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).ReadQueries);

        var one = new UsageLog(_time);
        for (var i = 0; i < 500; i++) one.Add("a", $"SELECT c{i}", Read(rows: 1));
        for (var hour = 0; hour < 24 * 31; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            one.Add("a", "SELECT again", Read(rows: 1));
        }

        Assert.Equal(["SELECT again"], one.Sum("a", DateTimeOffset.MinValue, DateTimeOffset.MaxValue).Queries.Keys); // there is room for new texts again
        Assert.InRange(one.Bytes, 1, 1 << 20);
    }

    private static ExecuteResponse Read(long rows) => new() { Results = { new Result { Meta = new Meta { RowsRead = rows } } } };

    private static ExecuteResponse Written(long rows) => new() { Results = { new Result { Meta = new Meta { RowsWritten = rows, ChangedDb = true } } } };
}
