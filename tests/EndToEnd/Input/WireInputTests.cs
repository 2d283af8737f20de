using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Rpc;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Bytes that no client of ours sends, and clients that go in the middle of a call.</summary>
public sealed class WireInputTests(InputCluster input) : IClassFixture<InputCluster>
{
    private const string Execute = "/replicatedsqlite.v1.Query/Execute";
    private const string Endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(500)) FROM n";
    private static readonly byte[] _badUtf8 = [(byte)'S', 0xff, 0xfe, 0x80];
    private static readonly byte[] _database = RawCall.Field(1, "d"u8.ToArray());

    public static TheoryData<string, byte[]> BadText => new()
    {
        { "SQL", [.. _database, .. RawCall.Field(2, RawCall.Field(1, [.. "SELECT '"u8, 0xc3, 0x28, .. "'"u8]))] },
        { "SQL that writes", [.. _database, .. RawCall.Field(2, RawCall.Field(1, [.. "INSERT INTO t (x) VALUES ('"u8, 0xff, .. "')"u8]))] },
        { "database", [.. RawCall.Field(1, _badUtf8), .. RawCall.Field(2, RawCall.Field(1, "SELECT 1"u8.ToArray()))] },
        { "a text parameter", [.. _database, .. RawCall.Field(2, [.. RawCall.Field(1, "SELECT ?"u8.ToArray()), .. RawCall.Field(2, RawCall.Field(3, _badUtf8))])] },
        { "a parameter's name", [.. _database, .. RawCall.Field(2, [.. RawCall.Field(1, "SELECT :a"u8.ToArray()), .. RawCall.Field(3, [.. RawCall.Field(1, _badUtf8), .. RawCall.Field(2, [])])])] },
        { "a surrogate", [.. _database, .. RawCall.Field(2, RawCall.Field(1, [.. "SELECT '"u8, 0xed, 0xa0, 0x80, .. "'"u8]))] },
    };

    [Theory]
    [MemberData(nameof(BadText))]
    public async Task Text_that_is_not_UTF_8_is_an_invalid_argument(string what, byte[] message)
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var (status, text, details) = await RawCall.PostAsync(input.Cluster.Node(region).GrpcAddress, Execute, RawCall.Frame(message)).InTimeAsync();
            Assert.True(status == (int)StatusCode.InvalidArgument, $"{what} in region {region}: status {status}, '{text}'");
            Assert.Equal(ErrorCodes.InvalidRequest, CodeOf(details));
        }

        await input.StillAnswersAsync();
    }

    [Fact]
    public async Task Bytes_that_are_no_message_are_refused()
    {
        var node = input.Cluster.Node(1).GrpcAddress;
        foreach (var body in (byte[][])[
            [],
            [0, 0, 0],
            RawCall.Frame([0x0a, 0x7f, 1, 2]), // a field that is longer than the message
            RawCall.Frame([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            RawCall.Frame([1, 2, 3], claimedLength: 1000),
            RawCall.Frame([1, 2, 3], claimedLength: -1),
            RawCall.Frame([1, 2, 3], claimedLength: int.MaxValue),
            [9, .. RawCall.Frame(_database)[1..]], // an unknown compression flag
            [.. RawCall.Frame(_database), .. RawCall.Frame(_database)]]) // two messages in a unary call
        {
            var (status, text, _) = await RawCall.PostAsync(node, Execute, body).InTimeAsync();
            Assert.True(status is not (0 or -1 or (int)StatusCode.Unknown), $"{Convert.ToHexString(body)}: status {status}, '{text}'");
        }

        var (unknown, _, _) = await RawCall.PostAsync(node, "/replicatedsqlite.v1.Query/Nothing", RawCall.Frame([])).InTimeAsync();
        Assert.Equal((int)StatusCode.Unimplemented, unknown);
        await input.StillAnswersAsync();
    }

    [Fact]
    public async Task Garbage_and_half_requests_on_the_port_disturb_nobody()
    {
        var random = new Random(Dose.Seed());
        var node = input.Cluster.Node(2).GrpcAddress;
        for (var i = 0; i < 50; i++)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, node.Port);
            var stream = socket.GetStream();
            byte[] bytes = i % 3 == 0 ? FileDamage.Garbage(random, random.Next(1, 5000))
                : i % 3 == 1 ? [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. FileDamage.Garbage(random, random.Next(0, 300))]
                : "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();
            try
            {
                await stream.WriteAsync(bytes);
                socket.Client.LingerState = new LingerOption(true, 0); // gone with a reset
            }
            catch (IOException)
            {
                // The node has hung up already.
            }
        }

        await input.StillAnswersAsync();
    }

    [Fact]
    public async Task Clients_that_go_in_the_middle_of_a_stream_leave_nothing_behind()
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            for (var i = 0; i < 30; i++) // more than a copy has connections
            {
                await using var channel = new GrpcChannel(input.Cluster.Node(region).GrpcAddress);
                var request = new StreamRequest { Database = "d", Statements = { new Statement { Sql = Endless } }, Read = new ReadOptions { Session = input.Bookmark.ToString() } };
                var parts = channel.OpenServerStream(QueryMethods.Stream, request);
                await using var rows = ((IAsyncEnumerable<StreamResponse>)parts).GetAsyncEnumerator();
                Assert.True(await rows.MoveNextAsync().AsTask().InTimeAsync());
                if (i % 2 == 0)
                {
                    continue; // cancels the call; the others take the whole connection away
                }

                await channel.DisposeAsync();
            }
        }

        await input.StillAnswersAsync();
    }

    [Fact]
    public async Task A_client_that_goes_in_the_middle_of_a_write_leaves_all_of_it_or_nothing()
    {
        await input.Cluster.Database(0, "d").ExecuteAsync("CREATE TABLE IF NOT EXISTS gone (call INTEGER, i INTEGER)");
        var random = new Random(Dose.Seed());
        for (var i = 0; i < 12; i++)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, 120)));
            try
            {
                await input.Cluster.Database(i % 3, "d").ExecuteAsync(
                    "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO gone SELECT ?, i FROM n", [i], null, patience.Token);
            }
            catch (OperationCanceledException)
            {
                // Its outcome is unknown.
            }
        }

        var calls = await input.Cluster.Database(1, "d").QueryAsync("SELECT call, count(*), count(DISTINCT i) FROM gone GROUP BY call").InTimeAsync();
        Assert.All(calls.Rows, row => Assert.True(row.GetInt64(1) == 100_000 && row.GetInt64(2) == 100_000, $"call {row.GetInt64(0)} left {row.GetInt64(1)} rows"));
        await input.Cluster.Database(0, "d").ExecuteAsync("DROP TABLE gone");
        await input.StillAnswersAsync();
    }

    private static string? CodeOf(string details)
    {
        var padded = details.PadRight((details.Length + 3) / 4 * 4, '=');
        var rich = Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(padded));
        return rich.Details.Count == 0 ? null : rich.Details[0].Unpack<SqlError>().Code;
    }
}
