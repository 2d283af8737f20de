using System.Reflection;
using Google.Protobuf;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Bytes of all kinds against a server: each gets an end, none makes the server log an error, and the next proper call is answered.</summary>
/// <remarks>RS_TEST_FULL=1 for many seeds, RS_TEST_SEED=n for one. What once did harm is kept under <c>corpus/</c>, beside conversations to start from.</remarks>
public sealed class FuzzTests : IAsyncLifetime
{
    private static readonly TimeSpan End = TimeSpan.FromSeconds(15);

    private readonly KeptErrors _errors = new();
    private GrpcTestServer _server = null!;

    public static IEnumerable<int> SeedsToRun =>
        int.TryParse(Environment.GetEnvironmentVariable("RS_TEST_SEED"), out var seed) ? [seed] : Enumerable.Range(1, Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1" ? 100 : 3);

    private static string CorpusFolder { get; } =
        typeof(FuzzTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "FuzzCorpus").Value!;

    public async ValueTask InitializeAsync() => _server = await GrpcTestServer.StartAsync(
        services =>
        {
            services.MapTestService();
            var methods = typeof(QueryMethods).GetFields().Concat(typeof(AdminMethods).GetFields()).Where(field => field.FieldType.IsGenericType);
            foreach (var field in methods.DistinctBy(field => field.GetValue(null)!.ToString())) // one rpc may be there in several guises
            {
                typeof(FuzzTests).GetMethod(nameof(MapAny), BindingFlags.NonPublic | BindingFlags.Static)!
                    .MakeGenericMethod(field.FieldType.GenericTypeArguments).Invoke(null, [services, field.GetValue(null)]);
            }
        },
        new GrpcServerOptions { MaxRequestBytes = 100_000 },
        errors: _errors);

    public async ValueTask DisposeAsync()
    {
        await using (var channel = _server.Connect()) Assert.Equal(new Empty(), await channel.CallAsync(TestMethods.EmptyCall, new Empty()).WaitAsync(End));
        await _server.DisposeAsync();
        Assert.True(_errors.Texts.IsEmpty, string.Join('\n', _errors.Texts.Take(3)));
    }

    [Fact]
    public async Task Broken_conversations_end()
    {
        var corpus = Directory.GetFiles(CorpusFolder, "*.bin").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        Assert.True(corpus.Length >= 10);
        foreach (var conversation in corpus) await AssertEndsAsync(conversation, "as it is in the corpus");
        foreach (var seed in SeedsToRun)
        {
            var random = new Random(seed);
            var broken = Enumerable.Range(0, 50).Select(_ => ByteMutator.Mutate(corpus[random.Next(corpus.Length)], random)).ToArray();
            await Task.WhenAll(broken.Select(bytes => AssertEndsAsync(bytes, $"of seed {seed}")));
        }
    }

    [Fact]
    public async Task Damaged_requests_of_the_public_contract_are_invalid_or_answered()
    {
        using var client = new RawClient(_server.Address);
        var services = new[] { Protocol.V1.QueryReflection.Descriptor, Protocol.V1.AdminReflection.Descriptor }.SelectMany(file => file.Services);
        var methods = services.SelectMany(service => service.Methods).ToArray();
        foreach (var seed in SeedsToRun)
        {
            var random = new Random(seed);
            foreach (var method in methods)
            {
                for (var i = 0; i < 20; i++)
                {
                    var body = MessageMaker.Make(method.InputType, random).ToByteArray();
                    if (i > 0) body = ByteMutator.Mutate(body, random);
                    var answer = await client.PostAsync($"/{method.Service.FullName}/{method.Name}", RawClient.Frame(body)).WaitAsync(End);
                    Assert.True(
                        answer.Status is "0" or "3", $"Seed {seed}: {method.FullName} answered {answer.Status} ({answer.Message}) to {Convert.ToHexString(body)}.");
                }
            }
        }
    }

    [Theory]
    [InlineData("grpc-timeout", "")]
    [InlineData("grpc-timeout", "1")]
    [InlineData("grpc-timeout", "-1S")]
    [InlineData("grpc-timeout", "123456789S")]
    [InlineData("grpc-timeout", "1x")]
    [InlineData("grpc-timeout", "99999999H")]
    [InlineData("x-grpc-test-echo-trailing-bin", "%%%")]
    [InlineData("x-grpc-test-echo-trailing-bin", "A")]
    [InlineData("x-grpc-test-echo-trailing-bin", "AA=A")]
    [InlineData("x-grpc-test-echo-initial", "%zz%")]
    [InlineData("x-grpc-test-echo-initial", "\u00ff\u00fe")]
    [InlineData("grpc-encoding", "")]
    [InlineData("grpc-encoding", "gzip,gzip")]
    [InlineData("grpc-accept-encoding", ",,,gzip;q=0,,")]
    [InlineData("content-type", "application/grpc\t")]
    [InlineData("content-type", "text/plain")]
    [InlineData(":path", "/")]
    [InlineData(":path", "*")]
    [InlineData(":path", "/%00%ff")]
    [InlineData(":method", "GET")]
    [InlineData("content-length", "-1")]
    [InlineData("content-length", "7")]
    [InlineData("connection", "close")]
    [InlineData("Upper", "x")]
    public Task Headers_that_are_wrong_get_an_end(string name, string value) => AssertEndsAsync(
        [
            .. RawHttp2.Preface,
            .. RawHttp2.Call(1, TestMethods.UnaryCall.FullName, (name, value)),
            .. RawHttp2.Frame(RawHttp2.Data, RawHttp2.EndStream, 1, RawClient.Frame([])),
        ],
        $"{name}: {value}");

    [Fact]
    public Task Headers_that_are_too_large_get_an_end() => AssertEndsAsync(
        [.. RawHttp2.Preface, .. RawHttp2.Call(1, TestMethods.UnaryCall.FullName, ("x", new string('x', 10_000)), ("y", new string('y', 10_000)), ("z", new string('z', 14_000)))],
        "oversize headers");

    private static void MapAny<TRequest, TResponse>(GrpcServices services, GrpcMethod<TRequest, TResponse> method)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (method.Kind == MethodKind.Unary) services.MapUnary(method, (_, _) => new ValueTask<TResponse>(new TResponse()));
        else if (method.Kind == MethodKind.ServerStreaming) services.MapServerStreaming(method, (_, responses, _) => responses.WriteAsync(new TResponse()));
        else if (method.Kind == MethodKind.ClientStreaming) services.MapClientStreaming(method, async (requests, _) => await AnswerAsync(requests));
        else services.MapDuplex(method, async (requests, responses, _) => await responses.WriteAsync(await AnswerAsync(requests)));

        static async ValueTask<TResponse> AnswerAsync(IAsyncEnumerable<TRequest> requests)
        {
            await foreach (var _ in requests)
            {
                // All of them are read.
            }

            return new TResponse();
        }
    }

    private async Task AssertEndsAsync(byte[] bytes, string what)
    {
        using var connection = await RawHttp2.ConnectAsync(_server.Address);
        try
        {
            await connection.SendAsync(bytes);
        }
        catch (IOException)
        {
            return; // closed in the middle of what it could not read
        }

        try
        {
            await connection.EndAsync().WaitAsync(End);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"No end within {End.TotalSeconds} s of a conversation {what}: {Convert.ToHexString(bytes)}");
        }
    }
}
