using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.AspNetCore;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Client.Tests;

public sealed class WebTests(LiveCluster cluster)
{
    private const string Header = ReplicatedSqliteSessionOptions.DefaultName;

    [Fact]
    public async Task A_request_goes_on_from_the_last_ones_bookmark_by_header_or_cookie()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var enam = await StartAsync(0, maker.Database);
        await using var apac = await StartAsync(2, maker.Database);
        using var browser = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        string? cookie = null;
        for (var i = 1; i <= 20; i++)
        {
            using var written = await SendAsync(browser, HttpMethod.Post, Url(enam, "/add"), cookie);
            cookie = Cookie(written) ?? cookie;
            Assert.Equal(cookie, written.Headers.GetValues(Header).Single());
            using var read = await SendAsync(browser, HttpMethod.Get, Url(apac, "/count"), cookie);
            Assert.Equal(i, await read.Content.ReadFromJsonAsync<int>());
            cookie = Cookie(read) ?? cookie;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, Url(apac, "/bookmark")) { Headers = { { Header, cookie } } };
        using var response = await browser.SendAsync(request);
        Assert.Equal(cookie, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Users_whose_requests_alternate_on_one_pool_never_get_each_others_bookmarks()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var application = await StartAsync(1, maker.Database);
        using var browser = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var first = await SendAsync(browser, HttpMethod.Post, Url(application, "/add"), null);
        var ann = Cookie(first)!;
        var bob = Bookmark.Start.ToString(); // has seen nothing yet
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            var mine = i % 2 == 0 ? ann : bob;
            using var answer = await SendAsync(browser, HttpMethod.Get, Url(application, "/bookmark"), mine);
            Assert.Equal(mine, await answer.Content.ReadAsStringAsync()); // what the session begins with
            Assert.Null(Cookie(answer)); // asked nothing, learnt nothing
        }));
        using var none = await SendAsync(browser, HttpMethod.Get, Url(application, "/bookmark"), null);
        Assert.Equal("", await none.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_bookmark_that_is_none_is_passed_over_and_one_that_is_refused_is_forgotten()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var application = await StartAsync(0, maker.Database);
        using var browser = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var odd = await SendAsync(browser, HttpMethod.Get, Url(application, "/count"), "no-bookmark");
        Assert.Equal(0, await odd.Content.ReadFromJsonAsync<int>());
        using var foreign = await SendAsync(browser, HttpMethod.Get, Url(application, "/count"), new Bookmark(1, 1, 77).ToString());
        Assert.Equal(409, (int)foreign.StatusCode);
        Assert.Contains(foreign.Headers.GetValues("Set-Cookie"), text => text.StartsWith(Header + "=;", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_refused_bookmark_is_forgotten_once_and_not_sent_back(bool hasHandler, bool byHeader)
    {
        await using var server = await FakeServer.StartAsync();
        var refused = Answer.Bookmark(5).ToString();
        server.OnExecute = (request, _) => request.Read.Session == refused ? throw new Protocol.RequestException("BOOKMARK_FOREIGN", "foreign") : new(Answer.Empty(7));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicatedSqlite($"Endpoint={server.Address};Database=shop");
        await using var application = builder.Build();
        if (hasHandler) application.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = context => context.Response.WriteAsync("error") });
        application.UseReplicatedSqliteSession();
        application.MapGet("/x", async (Session session) =>
        {
            await session.Prepare("SELECT 1").RunAsync();
            return "ok";
        });
        await application.StartAsync();
        using var browser = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, Url(application, "/x"));
        request.Headers.Add(byHeader ? Header : "Cookie", byHeader ? refused : $"{Header}={refused}");
        using var response = await browser.SendAsync(request);
        Assert.Equal(409, (int)response.StatusCode);
        Assert.Contains("BOOKMARK_FOREIGN", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(response.Headers.Contains(Header));
        Assert.StartsWith(Header + "=;", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);

        using var again = await SendAsync(browser, HttpMethod.Get, Url(application, "/x"), null);
        Assert.Equal((200, Answer.Bookmark(7).ToString()), ((int)again.StatusCode, Cookie(again)));
    }

    [Fact]
    public async Task The_health_check_says_who_answers()
    {
        await using var maker = await cluster.CreateAsync();
        await using var application = await StartAsync(0, maker.Database);
        await using var lost = await StartAsync(0, "nowhere");
        using var browser = new HttpClient();
        Assert.Equal("Healthy", await browser.GetStringAsync(Url(application, "/health")));
        using var answer = await browser.GetAsync(Url(lost, "/health"));
        Assert.Equal(503, (int)answer.StatusCode);
    }

    [Fact]
    public async Task The_shop_shows_the_order_just_placed_in_every_region()
    {
        var name = await cluster.CreateDatabaseAsync();
        var addresses = new List<string>();
        var shops = new List<Task>();
        for (var region = 0; region < 3; region++)
        {
            var address = $"http://127.0.0.1:{FreePorts.TakeRow(1)}";
            addresses.Add(address);
            shops.Add(RunShopAsync(["--urls", address, "--endpoint", cluster.Endpoints[region], "--database", name]));
        }

        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        foreach (var address in addresses) await ReadyAsync(browser, address);
        string? cookie = null;
        for (var i = 0; i < 12; i++)
        {
            using var placed = await SendAsync(browser, HttpMethod.Post, $"{addresses[i % 3]}/orders?customer=7&product={(i % 3) + 1}", cookie);
            placed.EnsureSuccessStatusCode();
            cookie = Cookie(placed) ?? cookie;
            var id = (await placed.Content.ReadFromJsonAsync<Dictionary<string, long>>())!["id"];
            using var listed = await SendAsync(browser, HttpMethod.Get, $"{addresses[(i + 1) % 3]}/?customer=7", cookie);
            Assert.Contains($"<li value={id}>", await listed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            cookie = Cookie(listed) ?? cookie;
        }
    }

    // The sample's own entry point, in this process; its host ends with the process.
    private static Task<object?> RunShopAsync(string[] arguments)
    {
        var entry = System.Reflection.Assembly.Load("ReplicatedSqlite.Shop").EntryPoint!;
        return Task.Run(() => entry.Invoke(null, [arguments]));
    }

    private static async Task ReadyAsync(HttpClient browser, string address)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var health = await browser.GetAsync(address + "/health");
                if (health.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (attempt < 400)
            {
                // Not listening yet.
            }

            Assert.True(attempt < 400, "the shop did not start");
            await Task.Delay(25);
        }
    }

    private async Task<WebApplication> StartAsync(int region, string database)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicatedSqlite($"Endpoint={cluster.Endpoints[region]};Database={database};Retry Timeout=1");
        builder.Services.AddHealthChecks().AddReplicatedSqlite();
        var application = builder.Build();
        application.UseExceptionHandler(handler => handler.Run(context => Task.CompletedTask));
        application.UseReplicatedSqliteSession();
        application.MapHealthChecks("/health");
        application.MapPost("/add", async (ReplicatedSqliteConnection connection) =>
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO t VALUES (1)";
            return await command.ExecuteNonQueryAsync();
        });
        application.MapGet("/count", async (Session session) => await session.QueryScalarAsync<int>("SELECT count(*) FROM t"));
        application.MapGet("/bookmark", (Session session) => session.Bookmark?.ToString() ?? "");
        await application.StartAsync();
        return application;
    }

    private static string Url(WebApplication application, string path) =>
        application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + path;

    private static Task<HttpResponseMessage> SendAsync(HttpClient browser, HttpMethod method, string url, string? cookie)
    {
        var request = new HttpRequestMessage(method, url);
        if (cookie is not null) request.Headers.Add("Cookie", $"{Header}={cookie}");
        return browser.SendAsync(request);
    }

    private static string? Cookie(HttpResponseMessage response) => response.Headers.TryGetValues("Set-Cookie", out var cookies)
        ? cookies.Select(cookie => cookie.Split(';')[0]).FirstOrDefault(cookie => cookie.StartsWith(Header + "=", StringComparison.Ordinal) && cookie.Length > Header.Length + 1)?[(Header.Length + 1)..]
        : null;
}
