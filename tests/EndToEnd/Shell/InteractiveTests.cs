namespace ReplicatedSqlite.EndToEnd.Shell;

public sealed class InteractiveTests : IDisposable
{
    private const string Up = "\e[A";

    private readonly string _home = Directory.CreateTempSubdirectory("rsql-home-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lines_are_edited_completed_and_remembered()
    {
        Assert.SkipUnless(PseudoTerminal.IsThere, "script (util-linux) is not installed");
        await using var cluster = await StartAsync();
        await using (var terminal = await OpenAsync(cluster))
        {
            await terminal.TypeAsync("SELECT 41+2;\b\b1;\r"); // one key wrong
            await terminal.SeesAsync("| 42 ");
            await terminal.SeesAsync("rsql> ");
            await terminal.TypeAsync("SELECT count(*)\r");
            await terminal.SeesAsync("   -> ");
            await terminal.TypeAsync("FROM ord\t;\r");
            await terminal.SeesAsync("| 3 ");
            await terminal.SeesAsync("rsql> ");
            await terminal.TypeAsync(".ta\t\r");
            await terminal.SeesAsync("orders");
            await terminal.SeesAsync("rsql> ");
            await terminal.TypeAsync("\x04");
            Assert.Equal(0, await terminal.EndsAsync());
        }

        await using var next = await OpenAsync(cluster);
        await next.TypeAsync(Up + Up + "\r"); // the statement of two lines, of the time before
        await next.SeesAsync("| 3 ");
        await next.TypeAsync(".quit\r");
        Assert.Equal(0, await next.EndsAsync());
    }

    [Fact]
    public async Task Ctrl_c_drops_a_line_and_stops_a_statement_and_the_shell_goes_on()
    {
        Assert.SkipUnless(PseudoTerminal.IsThere, "script (util-linux) is not installed");
        await using var cluster = await StartAsync();
        await using var terminal = await OpenAsync(cluster);
        await terminal.TypeAsync("SELECT 'half a stat\x03");
        await terminal.SeesAsync("^C");
        await terminal.SeesAsync("rsql> ");

        await terminal.TypeAsync("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c;\r");
        await Eventually.TrueAsync(
            async () => (await cluster.Client(0).Admin.ListQueriesAsync(cancellationToken: Cancellation)).Queries.Any(query => query.State == Protocol.V1.QueryState.Running), "it runs");
        await terminal.TypeAsync("\x03");
        await terminal.SeesAsync("interrupted");
        await Eventually.TrueAsync(async () => (await cluster.Client(0).Admin.ListQueriesAsync(cancellationToken: Cancellation)).Queries.Count == 0, "the server has stopped it too");

        await terminal.SeesAsync("rsql> ");
        await terminal.TypeAsync("SELECT 6*7;\r");
        await terminal.SeesAsync("| 42 ");
        await terminal.TypeAsync("\x04");
        Assert.Equal(0, await terminal.EndsAsync());
    }

    [Fact]
    public async Task Tables_fit_the_terminal()
    {
        Assert.SkipUnless(PseudoTerminal.IsThere, "script (util-linux) is not installed");
        await using var cluster = await StartAsync();
        await using var terminal = await OpenAsync(cluster, columns: 50);
        await terminal.TypeAsync("SELECT 7 AS id, printf('%200s', 'x') AS long, 8 AS last;\r");
        await terminal.SeesAsync("| last |");
        await terminal.SeesAsync("…");
        await terminal.SeesAsync("|    8 |".Replace("   8", "8   ", StringComparison.Ordinal));
        await terminal.TypeAsync("\x04");
        Assert.Equal(0, await terminal.EndsAsync());
        Assert.All(terminal.Shown.Split('\n').Where(line => line.StartsWith('+')), line => Assert.True(line.TrimEnd().Length <= 50, line));
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("shop", cancellationToken: Cancellation);
        await cluster.Client(0).Database("shop").ScriptAsync("CREATE TABLE orders(id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2), (3)", cancellationToken: Cancellation);
        return cluster;
    }

    private async Task<PseudoTerminal> OpenAsync(ClusterFixture cluster, int columns = 100)
    {
        var terminal = PseudoTerminal.Start(_home, columns, "-s", cluster.Node(0).GrpcAddress.Authority, "shop");
        await terminal.SeesAsync("rsql> ");
        return terminal;
    }
}
