using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>Whatever arrives at the port: a 4xx with an envelope, never a 5xx, and nobody else notices.</summary>
public sealed class HostileRequestTests : IAsyncLifetime
{
    private D1Cluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await D1Cluster.StartAsync(node => node with { D1Api = node.D1Api with { BodyPatience = TimeSpan.FromSeconds(2), MaxBodyBytes = 1 << 20 } });
        var (status, _, _) = await _cluster.PostAsync("", new { name = "shop" });
        Assert.Equal(200, status);
        Assert.Equal(200, (await _cluster.PostAsync("/shop/query", new { sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, v)" })).Status);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Random_bodies_paths_and_headers_are_refused_with_an_envelope()
    {
        foreach (var seed in Seeds.Of(usual: 1, full: 50))
        {
            await RunAsync(seed);
        }
    }

    private async Task RunAsync(int seed)
    {
        var random = new Random(seed);
        string[] bodies =
        [
            """{"sql":"SELECT 1","params":[1,"a",null,[1,2],1e5]}""", """{"batch":[{"sql":"SELECT ?","params":[1]},{"sql":"SELECT 2"}]}""",
            """{"name":"other","read_replication":{"mode":"auto"}}""", """{"sql":"INSERT INTO t (v) VALUES (?); SELECT * FROM t","params":["x"]}""",
            """{"action":"init","etag":"5d41402abc4b2a76b9719d911017c592"}""", """{"action":"ingest","etag":"5d41402abc4b2a76b9719d911017c592","filename":"../x"}""", """{"action":"poll","current_bookmark":"x"}""",
            """{"output_format":"polling","current_bookmark":"x","dump_options":{"no_data":true,"tables":["t"]}}""",
        ];
        string[] paths = ["/shop/query", "/shop/raw", "", "/shop", "/nope/query", "/shop/nope", "/shop/query/", "/" + new string('x', 3000), "/..%2f..%2fetc", "/shop/insights",
            "/shop/import", "/shop/export", "/shop/time_travel/bookmark", "/shop/time_travel/restore", "/nope/import", "/shop/time_travel/restore?bookmark=x", "/../../../../files/x?expires=9&signature=0"];
        string[] headers = ["x-d1-bookmark", "cookie", "idempotency-key", "origin", "content-type", "authorization", "x-auth-key"];
        for (var round = 0; round < 400; round++)
        {
            var body = Encoding.UTF8.GetBytes(bodies[random.Next(bodies.Length)]);
            for (var changes = random.Next(4); changes > 0; changes--)
            {
                body = random.Next(4) switch
                {
                    0 => body[..random.Next(body.Length + 1)],
                    1 => [.. body, .. body],
                    2 when body.Length > 0 => [.. body.Select(b => random.Next(20) == 0 ? (byte)random.Next(256) : b)],
                    _ => [.. Enumerable.Repeat((byte)'[', random.Next(3000)), .. body],
                };
            }

            var method = random.Next(6) switch { 0 => HttpMethod.Get, 1 => HttpMethod.Put, 2 => HttpMethod.Patch, _ => HttpMethod.Post };
            using var request = new HttpRequestMessage(method, _cluster.Database(paths[random.Next(paths.Length)] + (random.Next(5) == 0 ? "?timestamp=2026-99-99&bookmark=%00&int64=%ff&fields=&page=-1&per_page=99999999999" : "")));
            if (method != HttpMethod.Get) request.Content = new ByteArrayContent(body);
            if (random.Next(3) == 0) request.Headers.TryAddWithoutValidation(headers[random.Next(headers.Length)], new string((char)random.Next(33, 127), random.Next(1, 200)));
            var (status, envelope, _) = await D1Cluster.ReadAsync(await _cluster.Http.SendAsync(request));
            Assert.True(status < 500, $"seed {seed}, round {round}: {method} {request.RequestUri} answered {status} to {Encoding.Latin1.GetString(body)}: {envelope}");
            Assert.Equal(status < 300, envelope.GetProperty("success").GetBoolean());
            Assert.Equal(status >= 300, envelope.GetProperty("errors").GetArrayLength() == 1);
        }
    }

    [Fact]
    public async Task A_body_that_is_too_long_or_never_ends_is_refused_in_time()
    {
        Assert.Equal(413, (await _cluster.PostAsync("/shop/query", new { sql = new string('x', 2 << 20) })).Status);

        using var socket = await ConnectAsync();
        await SendAsync(socket, "POST /client/v4/accounts/a/d1/database/shop/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"sql\":");
        Assert.StartsWith("HTTP/1.1 408", await ReadAsync(socket), StringComparison.Ordinal);

        using var endless = await ConnectAsync();
        await SendAsync(endless, "POST /client/v4/accounts/a/d1/database/shop/query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
        var chunk = "10000\r\n" + new string(' ', 0x10000) + "\r\n";
        var answer = ReadAsync(endless);
        for (var i = 0; i < 64 && !answer.IsCompleted; i++)
        {
            try
            {
                await SendAsync(endless, chunk);
            }
            catch (SocketException)
            {
                break; // it was answered and hung up
            }
        }

        Assert.StartsWith("HTTP/1.1 413", await answer, StringComparison.Ordinal);
        await IsWellAsync();
    }

    [Fact]
    public async Task A_body_of_somebody_without_a_token_is_not_waited_for()
    {
        await using var cluster = await D1Cluster.StartAsync(node => node with { Router = node.Router with { RequireTokens = true }, D1Api = node.D1Api with { BodyPatience = TimeSpan.FromMinutes(10) } });
        foreach (var path in new[] { "/accounts/a/d1/database", "/accounts/a/d1/database/shop/query", "/accounts/a/d1/database/shop/raw", "/graphql" })
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, cluster.Port().Port);
            await SendAsync(socket, $"POST /client/v4{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer rs_none\r\nContent-Length: 16000000\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 401", await ReadAsync(socket), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Bodies_together_are_bounded_and_a_connection_too_many_is_hung_up_on()
    {
        await using var cluster = await D1Cluster.StartAsync(node => node with { D1Api = node.D1Api with { MaxArrivingBytes = 100_000 }, Connections = node.Connections with { MaxConnections = 64 } });
        Assert.Equal(200, (await cluster.PostAsync("", new { name = "shop" })).Status);
        Assert.Equal(429, (await cluster.PostAsync("/shop/query", new { sql = $"SELECT '{new string('x', 1_000_000)}'" })).Status);
        Assert.Equal(200, (await cluster.PostAsync("/shop/query", new { sql = $"SELECT '{new string('x', 50_000)}'" })).Status); // what was held is free again

        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < 65; i++)
            {
                sockets.Add(new Socket(SocketType.Stream, ProtocolType.Tcp));
            }

            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var hungUp = await await Task.WhenAny(sockets.Select(async socket =>
            {
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, cluster.Port().Port, patience.Token);
                    return await socket.ReceiveAsync(new byte[1], patience.Token);
                }
                catch (SocketException)
                {
                    return 0; // it may even come before the connection is known here
                }
            }));
            Assert.Equal(0, hungUp);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task More_parameters_or_statements_than_anybody_needs_are_refused()
    {
        var (status, envelope, _) = await _cluster.PostAsync("/shop/query", new { sql = "SELECT ?", @params = new int[40_000] });
        Assert.Equal((400, 7400), (status, envelope.GetProperty("errors")[0].GetProperty("code").GetInt32()));
        (status, envelope, _) = await _cluster.PostAsync("/shop/query", new { batch = Enumerable.Repeat(new { sql = "SELECT 1" }, 10_001) });
        Assert.Equal((400, 7400), (status, envelope.GetProperty("errors")[0].GetProperty("code").GetInt32()));
    }

    [Fact]
    public async Task Idle_connections_and_slow_clients_do_not_hold_up_others()
    {
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < 1000; i++) sockets.Add(await ConnectAsync());
            foreach (var socket in sockets.Take(200)) await SendAsync(socket, "POST /client/v4/accounts/a/d1/database/shop/query HTTP/1.1\r\nHost: lo");
            await IsWellAsync();
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Theory]
    [InlineData("https://evil.example", null)]
    [InlineData("null", null)]
    [InlineData(null, "evil.example:7201")]
    public async Task A_web_page_of_another_origin_cannot_use_the_readers_browser(string? origin, string? host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _cluster.Database("/shop/query")) { Content = new StringContent("""{"sql":"DROP TABLE t"}""", Encoding.UTF8, "text/plain") };
        if (origin is not null) request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.Host = host;
        var (status, envelope, _) = await D1Cluster.ReadAsync(await _cluster.Http.SendAsync(request));
        Assert.Equal((403, 7403), (status, envelope.GetProperty("errors")[0].GetProperty("code").GetInt32()));
        await IsWellAsync();
    }

    [Fact]
    public async Task Where_pages_of_any_origin_may_call_they_need_a_token()
    {
        await using var cluster = await D1Cluster.StartAsync(node => node with { D1Api = node.D1Api with { CorsOrigins = ["*"] } });
        var token = await cluster.CreateTokenAsync(Protocol.V1.Right.Read);
        foreach (var (method, authorization, expected) in new (HttpMethod, string?, int)[] { (HttpMethod.Get, null, 403), (HttpMethod.Get, $"Bearer {token}", 200), (HttpMethod.Options, null, 204) })
        {
            using var request = new HttpRequestMessage(method, cluster.Database());
            request.Headers.TryAddWithoutValidation("Origin", "https://any.example");
            if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var answer = await cluster.Http.SendAsync(request);
            Assert.Equal((method, authorization, expected), (method, authorization, (int)answer.StatusCode));
            Assert.Equal(expected != 403, answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("evil.example:7201", 403)]
    [InlineData("localhost", 200)]
    [InlineData("127.0.0.1:7201", 200)]
    [InlineData("[::1]", 200)]
    public async Task What_tells_about_the_cluster_is_not_for_pages_that_made_this_node_their_own_by_a_DNS_record(string host, int expected)
    {
        foreach (var path in new[] { "/metrics", "/openapi.json", "/" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_cluster.Port(), path));
            request.Headers.Host = host;
            Assert.Equal((path, expected), (path, (int)(await _cluster.Http.SendAsync(request)).StatusCode));
        }
    }

    [Fact]
    public async Task Statements_are_never_split_wrongly()
    {
        const string sql = "-- a; b\r\nCREATE TABLE \"x;y\" (v TEXT DEFAULT ';''');\r\n/* ; */ CREATE TRIGGER tr AFTER INSERT ON \"x;y\" BEGIN\r\n" +
            "INSERT INTO t (v) SELECT CASE WHEN new.v = 'a' THEN 'END;' ELSE new.v END; UPDATE t SET v = v || ';'; END;\r\nINSERT INTO \"x;y\" DEFAULT VALUES; SELECT v FROM t -- ; the end";
        var (status, envelope, _) = await _cluster.PostAsync("/shop/query", new { sql });
        Assert.True(status == 200, envelope.ToString());
        Assert.Equal(4, envelope.GetProperty("result").GetArrayLength());
        Assert.Equal(";';", envelope.GetProperty("result")[3].GetProperty("results")[0].GetProperty("v").GetString());
    }

    [Theory]
    [InlineData("", "No SQL statements detected.")]
    [InlineData("-- nothing", "SQL code did not contain a statement.")]
    [InlineData("SELECT ?", "Wrong number of parameter bindings for SQL query.")]
    [InlineData("BEGIN", null)]
    [InlineData("SELEC 1", "near \"SELEC\": syntax error at offset 0: SQLITE_ERROR")]
    [InlineData("SELECT nope", "no such column: nope at offset 7: SQLITE_ERROR")]
    public async Task Errors_read_as_D1s(string sql, string? text)
    {
        var (status, envelope, _) = await _cluster.PostAsync("/shop/query", new { sql });
        Assert.Equal(400, status);
        Assert.True(text is null || envelope.GetProperty("errors")[0].GetProperty("message").GetString() == text, envelope.ToString());
    }

    private async Task IsWellAsync()
    {
        var (status, envelope, _) = await _cluster.PostAsync("/shop/query", new { sql = "SELECT count(*) AS n FROM t" });
        Assert.True(status == 200, envelope.ToString());
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _cluster.Port().Port);
        return socket;
    }

    private static async Task SendAsync(Socket socket, string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text));

    private static async Task<string> ReadAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var buffer = new byte[4096];
        return Encoding.Latin1.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
    }
}
