using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdWatchTests(EtcdFixture fixture) : EtcdTest, IClassFixture<EtcdFixture>
{
    private readonly string _prefix = fixture.NewPrefix();

    [Fact]
    public async Task A_watch_goes_on_after_a_cut_from_where_it_was()
    {
        await using var proxy = new TcpProxy(fixture.Server.Endpoint);
        var (changing, watching) = (await OpenAsync("changing", fixture.Server.Endpoint), await OpenAsync("watching", proxy.Endpoint));
        var seen = Record(watching);
        await changing.CreateAsync(Database(1, "one"));
        await UntilAsync(() => Take(seen) == "one 0", "the first");
        proxy.Cut();
        await UntilAsync(() => watching.Trouble is not null, "it is noticed");
        await changing.TakeEpochAsync(Database(1, "one").Id, "n", 0, 0);
        await changing.CreateAsync(Database(2, "two"));
        await changing.DeleteAsync(Database(2, "two").Id);
        proxy.Heal();
        await UntilAsync(() => Take(seen) == "one 0, one 1, two 0, -", "each change once, in order");
        Assert.Equal(1, Log.Count(4300 + 1));
        Assert.Equal(2, Log.Count(4300)); // nothing was loaded again
    }

    [Fact]
    public async Task What_was_compacted_meanwhile_is_loaded_anew_and_only_what_changed_is_told()
    {
        await using var proxy = new TcpProxy(fixture.Server.Endpoint);
        var (changing, watching) = (await OpenAsync("changing", fixture.Server.Endpoint), await OpenAsync("watching", proxy.Endpoint));
        await changing.CreateAsync(Database(1, "same"));
        await changing.CreateAsync(Database(2, "changed"));
        await changing.CreateAsync(Database(3, "deleted"));
        await UntilAsync(() => watching.List("", "", 10).Count == 3, "it knows them");
        var seen = Record(watching);
        proxy.Cut();
        await UntilAsync(() => watching.Trouble is not null, "it is noticed");
        await changing.TakeEpochAsync(Database(2, "changed").Id, "n", 0, 0);
        await changing.DeleteAsync(Database(3, "deleted").Id);
        await changing.CreateAsync(Database(4, "new"));
        await CompactAsync();
        proxy.Heal();
        await UntilAsync(() => Take(seen).Split(", ").Length == 3, "it is loaded again");
        Assert.Equal(["-", "changed 1", "new 0"], Take(seen).Split(", ").Order(StringComparer.Ordinal));
        Assert.True(watching.IsDeleted(Database(3, "deleted").Id));
        await changing.CreateAsync(Database(5, "later"));
        await UntilAsync(() => watching.Find("later") is not null, "the watch goes on behind it");
        Assert.Equal(0, Log.Count(4303));
    }

    [Fact]
    public async Task A_watch_that_has_silently_died_is_noticed()
    {
        await using var proxy = new TcpProxy(fixture.Server.Endpoint);
        var (changing, watching) = (await OpenAsync("changing", fixture.Server.Endpoint), await OpenAsync("watching", proxy.Endpoint));
        proxy.Stall(newOnesToo: false);
        await changing.CreateAsync(Database(1, "app"));
        await UntilAsync(() => watching.Find("app") is not null, "it comes all the same");
    }

    [Fact]
    public async Task A_quiet_catalogue_in_a_busy_etcd_that_forgets_need_not_be_loaded_again()
    {
        await using var proxy = new TcpProxy(fixture.Server.Endpoint);
        var watching = await OpenAsync("watching", proxy.Endpoint);
        await fixture.Server.ControlAsync("put", "/somebody/else", "1");
        var start = TimeProvider.System.GetTimestamp();
        await UntilAsync(() => TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMilliseconds(500), "some looks");
        await CompactAsync();
        proxy.Cut();
        await UntilAsync(() => watching.Trouble is not null, "it is noticed");
        proxy.Heal();
        await UntilAsync(() => watching.Trouble is null, "it is back");
        await watching.CreateAsync(Database(1, "app"));
        Assert.Equal(1, Log.Count(4300));
    }

    [Fact]
    public async Task A_record_that_somebody_removes_by_hand_hides_the_database_and_deletes_nothing()
    {
        var node = await OpenAsync("node", fixture.Server.Endpoint);
        await node.CreateAsync(Database(1, "app"));
        var seen = Record(node);
        await fixture.Server.ControlAsync("del", $"{_prefix}databases/{Database(1, "app").Id}");
        await UntilAsync(() => Log.Count(4307) == 1, "it is said");
        Assert.Null(node.Find("app"));
        Assert.False(node.IsDeleted(Database(1, "app").Id));
        Assert.Equal("", Take(seen)); // a callback without a record would remove the files
    }

    [Fact]
    public async Task Old_deletions_are_forgotten()
    {
        var node = await ConnectAsync(Options("node", fixture.Server.Endpoint) with { Prefix = _prefix, DeletedCount = 3 });
        for (var i = 0; i < 6; i++)
        {
            await node.CreateAsync(Database(i, $"d{i}"));
            await node.DeleteAsync(Database(i, $"d{i}").Id);
        }

        await UntilAsync(() => !node.IsDeleted(Database(2, "d2").Id), "the oldest are forgotten");
        Assert.Equal([false, false, false, true, true, true], Enumerable.Range(0, 6).Select(i => node.IsDeleted(Database(i, "").Id)));
    }

    [Fact]
    public async Task A_name_that_went_on_is_found_where_it_is_now()
    {
        await using var proxy = new TcpProxy(fixture.Server.Endpoint);
        var (changing, late) = (await OpenAsync("changing", fixture.Server.Endpoint), await OpenAsync("late", proxy.Endpoint));
        await changing.CreateAsync(Database(1, "name"));
        await UntilAsync(() => late.Find("name") is not null, "it is known");
        proxy.Stall(newOnesToo: false); // the watch gets no news
        await changing.UpdateAsync(Database(1, "").Id, record => record with { Name = "before" });
        await changing.CreateAsync(Database(2, "name"));
        await changing.CreateAsync(Database(3, "gone"));
        Assert.Equal(Database(2, "").Id, (await late.FindNewestAsync("name"))!.Id);
        Assert.Equal(Database(2, "").Id, late.Find("name")!.Id);
        Assert.Equal("before", (await late.FindNewestAsync(Database(1, "").Id.ToString()))!.Name);
        Assert.Equal(Database(1, "").Id, late.Find("before")!.Id);
        await changing.DeleteAsync(Database(3, "gone").Id);
        Assert.Null(await late.FindNewestAsync("gone"));
        Assert.Null(await late.FindNewestAsync(Database(3, "").Id.ToString()));
        Assert.Null(await late.FindNewestAsync("never"));
    }

    private Task<EtcdControlPlane> OpenAsync(string node, Uri endpoint) => ConnectAsync(Options(node, endpoint) with { Prefix = _prefix });

    private async Task CompactAsync()
    {
        using var http = new HttpClient();
        var head = await http.PostAsync(new Uri(fixture.Server.Endpoint, "/v3/kv/range"), new StringContent("""{"key":"YQ=="}"""));
        var revision = System.Text.Json.JsonDocument.Parse(await head.Content.ReadAsStringAsync()).RootElement.GetProperty("header").GetProperty("revision").GetString();
        (await http.PostAsync(new Uri(fixture.Server.Endpoint, "/v3/kv/compaction"), new StringContent($$"""{"revision":"{{revision}}"}"""))).EnsureSuccessStatusCode();
    }

    private static List<string> Record(EtcdControlPlane control)
    {
        var seen = new List<string>();
        control.Watch(change =>
        {
            lock (seen)
            {
                seen.Add(change.Database is { } record ? $"{record.Name} {record.Epoch}" : "-");
            }
        });
        return seen;
    }

    private static string Take(List<string> seen)
    {
        lock (seen)
        {
            return string.Join(", ", seen);
        }
    }
}
