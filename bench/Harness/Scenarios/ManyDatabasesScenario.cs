using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The same reads and writes to one database and spread over many: what does a database more cost, in time and memory?</summary>
internal sealed class ManyDatabasesScenario : Scenario
{
    private const int CreatedAtOnce = 16;
    private const string Insert = "INSERT INTO t (v) VALUES (?)";
    private const string Select = "SELECT v FROM t WHERE id = 1";

    public override LimitKind Limits => LimitKind.Disk | LimitKind.Echo;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var value = new string('v', options.ValueBytes);
        await using var client = server.ClientOf(server.Ready.Nodes[0]);
        await using var far = server.ClientOf(server.Ready.Nodes[1]);
        var before = await server.UsageAsync();
        var started = Stopwatch.GetTimestamp();
        await CreateAsync(client, server.Ready.Nodes[0].Region, options, value, cancellationToken);
        var created = Stopwatch.GetElapsedTime(started);
        var after = await server.UsageAsync();
        await CountAsync(far, options, _ => 1, cancellationToken); // from here on every replica is there

        var written = new long[options.Databases];
        var random = Enumerable.Range(0, options.Callers).Select(i => new Random(options.Seed + i)).ToArray();
        Series Write(string where, Func<int, int> pick) => new($"inserts, {where}, {options.Callers} sessions", options.Callers, async caller =>
        {
            var database = pick(caller);
            await client.Database(NameOf(database)).ExecuteAsync(Insert, [value], cancellationToken: cancellationToken);
            Interlocked.Increment(ref written[database]);
        });
        Series Read(string where, Func<int, int> pick) => new($"point reads, {where}, {options.Callers} callers", options.Callers, async caller =>
        {
            var found = await far.Database(NameOf(pick(caller))).WithSession().QueryScalarAsync<string>(Select, cancellationToken: cancellationToken);
            if (found != value)
            {
                throw new BenchException($"A read of one of {options.Databases} databases gave '{found}'.");
            }
        });
        var many = string.Create(CultureInfo.InvariantCulture, $"{options.Databases} databases");
        int Any(int caller) => random[caller].Next(options.Databases);
        var (writeOne, writeMany, readOne, readMany) = (Write("1 database", static _ => 0), Write(many, Any), Read("1 database", static _ => 0), Read(many, Any));
        await Series.AlternateAsync(server, options, [writeOne, writeMany, readOne, readMany]);
        await CountAsync(far, options, database => 1 + written[database], cancellationToken);
        return
        [
            new("databases created, with a table and a row", "1/s", options.Databases, options.Databases / created.TotalSeconds, null, options.Databases / created.TotalSeconds, null, null),
            new("memory of a database in use, all nodes", "KB", options.Databases, (after.WorkingSetBytes - before.WorkingSetBytes) / 1e3 / options.Databases, null, null, null, null),
            .. writeOne.Report(remarks), .. writeMany.Report(remarks, writeOne), .. readOne.Report(LimitKind.Echo), .. readMany.Report(remarks, readOne),
        ];
    }

    private static async Task CreateAsync(ReplicatedSqliteClient client, string region, BenchOptions options, string value, CancellationToken cancellationToken)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, CreatedAtOnce).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i < options.Databases; i = Interlocked.Increment(ref next))
            {
                await client.Admin.CreateDatabaseAsync(NameOf(i), region, cancellationToken);
                await client.Database(NameOf(i)).BatchAsync(
                    [new SqlStatement("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)"), new SqlStatement(Insert, [value])], cancellationToken: cancellationToken);
            }
        }, cancellationToken)));
    }

    private static async Task CountAsync(ReplicatedSqliteClient far, BenchOptions options, Func<int, long> wanted, CancellationToken cancellationToken)
    {
        for (var i = 0; i < options.Databases; i++)
        {
            var bookmark = await far.Admin.GetBookmarkAsync(NameOf(i), cancellationToken: cancellationToken);
            var found = await far.Database(NameOf(i)).WithSession(bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t", cancellationToken: cancellationToken);
            if (found != wanted(i))
            {
                throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"{NameOf(i)} has {found} rows; {wanted(i)} inserts were answered."));
            }
        }
    }

    private static string NameOf(int database) => string.Create(CultureInfo.InvariantCulture, $"many-{database}");
}
