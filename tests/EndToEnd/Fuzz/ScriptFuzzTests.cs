using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;
using Value = ReplicatedSqlite.Protocol.V1.Value;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>SQL of random shape and damage through primary and replica: an answer each time, and nothing is left behind.</summary>
public sealed class ScriptFuzzTests(FuzzCluster fuzz) : IClassFixture<FuzzCluster>
{
    private const int BatchSize = 100;

    private static string Kept => Path.Combine(AppContext.BaseDirectory, "Fuzz", "Corpus");

    private static string Statements => Path.Combine(AppContext.BaseDirectory, "Fuzz", "Statements");

    [Fact]
    public async Task Random_scripts_are_answered_and_leave_nothing_behind()
    {
        var seed = Dose.Seed();
        var random = new Random(seed);
        var maker = new ScriptMaker(random, [.. Directory.GetFiles(Statements, "*.sql").Order(StringComparer.Ordinal).SelectMany(File.ReadLines).Where(line => line.Length > 0)]);
        for (var batch = 0; batch < Dose.Of(3, 300); batch++)
        {
            for (var i = 0; i < BatchSize; i++)
            {
                await fuzz.SendAsync(random.Next(3), Request(random, maker), $"seed {seed}, batch {batch}, request {i}");
            }

            await fuzz.IsWholeAsync($"seed {seed}, batch {batch}");
        }
    }

    [Fact]
    public async Task Inputs_that_were_interesting_once_are_answered()
    {
        foreach (var file in Directory.GetFiles(Kept, "*.txt").Order(StringComparer.Ordinal))
        {
            foreach (var script in (bool[])[true, false])
            {
                for (var region = 0; region < 2; region++)
                {
                    var request = Request(await File.ReadAllTextAsync(file), script, Session.FirstUnconstrained);
                    await fuzz.SendAsync(region, request, $"{Path.GetFileName(file)}, region {region}, script {script}");
                }
            }
        }

        await fuzz.IsWholeAsync("the kept inputs");
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_are_refused_before_SQLite_sees_them()
    {
        var seed = Dose.Seed();
        var random = new Random(seed);
        byte[][] broken = [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80], [0xe2, 0x82]];
        for (var i = 0; i < Dose.Of(30, 1000); i++)
        {
            byte[] sql = [.. "SELECT '"u8, .. broken[random.Next(broken.Length)], .. "'"u8];
            byte[] body = [.. RawCall.Field(1, [.. "fuzz"u8]), .. RawCall.Field(2, RawCall.Field(1, sql))];
            var (status, message, _) = await RawCall.PostAsync(fuzz.Cluster.Node(i % 3).GrpcAddress, "/replicatedsqlite.v1.Query/Execute", RawCall.Frame(body));
            Assert.True(status == 3 && message.Length > 0, $"seed {seed}, request {i}: status {status} '{message}'");
        }

        await fuzz.IsWholeAsync($"seed {seed}");
    }

    private static ExecuteRequest Request(Random random, ScriptMaker maker)
    {
        var sql = maker.Next();
        var request = Request(sql, script: random.Next(3) > 0, random.Next(2) == 0 ? Session.FirstUnconstrained : Session.FirstPrimary);
        if (!request.Script && random.Next(3) == 0)
        {
            request.Statements.Add(Enumerable.Range(0, random.Next(1, 20)).Select(_ => new Statement { Sql = random.Next(4) == 0 ? "" : maker.Next() }));
        }

        if (random.Next(20) == 0)
        {
            request.IdempotencyKey = $"key {random.Next(30)}";
        }

        foreach (var statement in request.Statements)
        {
            var parameters = random.Next(3) == 0 ? statement.Sql.Count(letter => letter == '?') : random.Next(4);
            statement.Positional.AddRange(Enumerable.Range(0, Math.Min(parameters, 40_000)).Select(_ => RandomValue(random)));
            for (var i = random.Next(8) == 0 ? random.Next(1, 4) : 0; i > 0; i--)
            {
                statement.Named[(random.Next(3) == 0 ? ":" : "") + (char)random.Next('a', 'f')] = RandomValue(random);
            }
        }

        return request;
    }

    private static ExecuteRequest Request(string sql, bool script, string session) => new()
    {
        Database = FuzzCluster.Name,
        Statements = { new Statement { Sql = sql } },
        Script = script,
        Read = new ReadOptions { Session = session },
        Timeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300)), // what never ends is stopped
    };

    private static Value RandomValue(Random random) => random.Next(7) switch
    {
        0 => new Value(),
        1 => new Value { Integer = random.NextInt64(long.MinValue, long.MaxValue) },
        2 => new Value { Real = random.Next(4) switch { 0 => double.NaN, 1 => double.PositiveInfinity, 2 => -0.0, _ => random.NextDouble() } },
        3 => new Value { Text = new string('ü', random.Next(100)) },
        4 => new Value { Text = "a\0b" },
        5 => new Value { Blob = ByteString.CopyFrom(new byte[random.Next(100)]) },
        _ => new Value { Integer = random.Next(-3, 3) },
    };
}
