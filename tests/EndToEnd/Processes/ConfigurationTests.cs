namespace ReplicatedSqlite.EndToEnd;

/// <summary>How a node is told what to do, and what it says when that cannot be.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public async Task All_faults_are_told_at_once_each_with_what_was_found_and_wanted()
    {
        var (code, _, errors) = await RunAsync(
            """
            { // a comment
              "region": "West Europe",
              "listen": { "grcp_port": 7101, "http_port": 99999, "address": "0.0.0.0" },
              "control": "etcd", "etcd": { "user": "u", "password": "geheim" },
              "roles": ["primary"],
            }
            """,
            [("RS_LIMITS_QUERIES", "none"), ("RS_LISTEN_GRPC_PROT", "1"), ("RS_SERVICE_HOST_OF_SOMETHING", "1")],
            "--times-idle", "5 minutes");
        Assert.Equal(1, code);
        Assert.Contains("region (", errors);
        Assert.Contains("'West Europe'; wanted: 1 to 32 lowercase letters, digits and '-'", errors);
        Assert.Contains("'listen.grcp_port'", errors);
        Assert.Contains("Is 'listen.grpc_port' meant?", errors);
        Assert.Contains("'99999'; wanted: a port from 1 to 65535", errors);
        Assert.Contains("advertise.grpc is wanted too", errors);
        Assert.Contains("data is not set", errors);
        Assert.Contains("etcd.endpoints is not set", errors);
        Assert.Contains("'primary' needs 'follower'", errors);
        Assert.Contains("limits.queries (RS_LIMITS_QUERIES) is 'none'; wanted: a number from 1 to 1000000", errors);
        Assert.Contains("Is 'RS_LISTEN_GRPC_PORT' meant?", errors);
        Assert.Contains("times.idle (--times-idle) is '5 minutes'; wanted: a time from 1s to 1d", errors);
        Assert.DoesNotContain("RS_SERVICE_HOST_OF_SOMETHING", errors);
        Assert.DoesNotContain("geheim", errors);
    }

    [Fact]
    public async Task Options_win_over_variables_and_variables_over_the_file_and_secrets_are_hidden()
    {
        var (code, output, errors) = await RunAsync(
            """{ "region": "weur", "zone": "a", "data": "d", "control": "etcd", "etcd": { "endpoints": ["http://e1:2379", "http://e2:2379"], "user": "u", "password": "geheim" }, "times": { "idle": "90s", "drain": "1s" } }""",
            [("RS_ZONE", "b"), ("RS_TIMES_DRAIN", "2s")],
            "--times-drain", "3s", "--check");
        Assert.True(code == 0, errors);
        var lines = output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(words => words[0], words => (words[1], words[^1]));
        Assert.Equal(("weur", true), (lines["region"].Item1, lines["region"].Item2.EndsWith("node.json", StringComparison.Ordinal)));
        Assert.Equal(("b", "RS_ZONE"), lines["zone"]);
        Assert.Equal(("3s", "--times-drain"), lines["times.drain"]);
        Assert.Equal("90s", lines["times.idle"].Item1);
        Assert.Equal("http://e1:2379,http://e2:2379", lines["etcd.endpoints"].Item1);
        Assert.Equal("(hidden)", lines["etcd.password"].Item1);
        Assert.Equal(("10s", "default"), lines["times.hand_over"]);
        Assert.DoesNotContain("geheim", output);
    }

    [Theory]
    [InlineData("{ \"region\": ", "is no JSON")]
    [InlineData("[]", "an object of settings is wanted")]
    [InlineData("{ \"region\": \"a\", \"region\": \"b\" }", "region stands in")]
    [InlineData("{ \"control\": \"embedded\", \"etcd\": { \"user\": \"u\" } }", "etcd.user is set, but control is embedded")]
    [InlineData("{ \"control\": \"embedded\", \"roles\": \"router\" }", "a single node needs all roles")]
    [InlineData("{ \"control\": \"embedded\", \"listen\": { \"address\": \"192.0.2.1\" } }", "not loopback")]
    [InlineData("{ \"control\": \"embedded\", \"tls\": { \"key\": \"a.key\" } }", "tls.key is set, and tls.certificate is not")]
    [InlineData("{ \"control\": \"embedded\", \"tls\": { \"certificate\": \"a\", \"key\": \"b\", \"node_authority\": \"c\", \"node_key\": \"d\" } }", "are set together, or neither")]
    public async Task A_file_that_cannot_be_used_is_refused_with_the_reason(string file, string reason)
    {
        var (code, _, errors) = await RunAsync(file, []);
        Assert.Equal(1, code);
        Assert.Contains(reason, errors);
    }

    [Fact]
    public async Task A_second_signal_stops_a_node_at_once()
    {
        using var folder = new TemporaryFolder();
        await using var node = NodeProcess.Begin(["node", "--region", "weur", "--data", folder.Path, "--control", "embedded", "--listen-grpc-port", "0", "--listen-http-port", "0", "--times-drain", "1m"]);
        await node.ReadyAsync();
        await using var client = new ReplicatedSqliteClient(node.GrpcAddresses[0]);
        await client.Admin.CreateDatabaseAsync("d");
        var rows = client.Database("d").StreamAsync("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c").GetAsyncEnumerator();
        Assert.True(await rows.MoveNextAsync()); // nobody reads on: the stop waits for it
        await node.SendAsync("TERM");
        await Eventually.TrueAsync(() => node.Output.Contains("stopping"), "it stops");
        await node.SendAsync("TERM");
        Assert.Equal(130, await node.EndAsync());
        Assert.Contains("stopped at once", node.Errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string file, (string Name, string Value)[] environment, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "node.json");
        await File.WriteAllTextAsync(path, file);
        await using var process = NodeProcess.Begin(["node", "--config", path, .. arguments], environment: environment.ToDictionary(pair => pair.Name, pair => pair.Value));
        var code = await process.EndAsync();
        return (code, string.Join('\n', process.Output), process.Errors);
    }
}
