using System.Net;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Tests;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Random and damaged requests of every public rpc against real nodes: each is answered by a status that its sender can understand, none is a failure inside.</summary>
public sealed class RequestFuzzTests : IAsyncLifetime
{
    private const string Name = "d"; // which the made requests name too

    // Ours would be UNKNOWN, INTERNAL and DATA_LOSS; ABORTED is between nodes only.
    private static readonly StatusCode[] _ours = [StatusCode.Unknown, StatusCode.Internal, StatusCode.DataLoss, StatusCode.Aborted];
    private static readonly MethodDescriptor[] _methods =
        [.. new[] { QueryReflection.Descriptor, AdminReflection.Descriptor }.SelectMany(file => file.Services).SelectMany(service => service.Methods)];

    private ClusterFixture _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await ClusterFixture.StartAsync();
        await CreateAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Damaged_requests_of_every_rpc_get_a_status_that_says_what_is_wrong()
    {
        var seed = Dose.Seed();
        var random = new Random(seed);
        for (var round = 0; round < Dose.Of(15, 500); round++)
        {
            foreach (var method in _methods)
            {
                var message = MessageMaker.Make(method.InputType, random);
                if (random.Next(2) == 0 && method.InputType.FindFieldByName("database") is { FieldType: FieldType.String } database) database.Accessor.SetValue(message, Name);
                var body = message.ToByteArray();
                if (random.Next(2) == 0) body = ByteMutator.Mutate(body, random);
                var (status, text, details) = await RawCall.PostAsync(_cluster.Node(random.Next(3)).GrpcAddress, $"/{method.Service.FullName}/{method.Name}", RawCall.Frame(body)).InTimeAsync();
                var origin = $"seed {seed}, round {round}, {method.FullName}: status {status} '{text}' to {Convert.ToHexString(body)}";
                Assert.True(status >= 0 && !_ours.Contains((StatusCode)status), origin);
                Assert.True(status == 0 || text.Length > 0, origin);
                Assert.True(status is 0 or (int)StatusCode.Unimplemented || details.Length > 0 || method.Service.Name == "Admin", origin); // Query: always with a SqlError
            }

            await CreateAsync(); // it may just have been deleted or renamed
        }

        for (var region = 0; region < ClusterFixture.RegionCount; region++) Assert.Equal(1, await _cluster.Database(region, Name).QueryScalarAsync<long>("SELECT 1").InTimeAsync());
        _cluster.Log.HasNoErrors();
    }

    [Theory]
    [InlineData("grpc-timeout", "1x", 200, StatusCode.Internal)] // as gRPC's own servers answer it
    [InlineData("grpc-timeout", "123456789S", 200, StatusCode.Internal)]
    [InlineData("grpc-timeout", "0n", 200, StatusCode.DeadlineExceeded)]
    [InlineData("grpc-timeout", "99999999H", 200, StatusCode.OK)]
    [InlineData("grpc-encoding", "br", 200, StatusCode.Unimplemented)]
    [InlineData("grpc-encoding", "identity", 200, StatusCode.OK)]
    [InlineData("grpc-accept-encoding", ",,,gzip;q=0,,", 200, StatusCode.OK)]
    [InlineData("x-any-bin", "%%%", 200, StatusCode.OK)]
    [InlineData("content-type", "text/plain", 415, null)]
    [InlineData("content-type", "application/grpc+json", 200, StatusCode.OK)]
    public async Task Headers_that_are_odd_get_the_status_that_gRPC_has_for_them(string name, string value, int http, StatusCode? expected)
    {
        using var client = new HttpMessageInvoker(new SocketsHttpHandler());
        var body = new ExecuteRequest { Database = Name, Statements = { new Statement { Sql = "SELECT 1" } } }.ToByteArray();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_cluster.Node(1).GrpcAddress, QueryMethods.Execute.FullName))
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(RawCall.Frame(body)),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", name == "content-type" ? value : "application/grpc");
        if (name != "content-type") request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request, CancellationToken.None).InTimeAsync();
        await response.Content.ReadAsByteArrayAsync();
        var status = response.TrailingHeaders.TryGetValues("grpc-status", out var values) || response.Headers.TryGetValues("grpc-status", out values) ? values.First() : null;
        Assert.Equal((http, expected is { } code ? $"{(int)code}" : null), ((int)response.StatusCode, status));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task A_generic_client_of_grpc_js_learns_a_nodes_services_and_calls_them(string version)
    {
        using var node = await NodePackages.StartAsync("reflection.js", _cluster.Node(1).GrpcAddress.Authority, NodePackages.ProtoFolder, version);
        var errors = node.StandardError.ReadToEndAsync();
        var lines = (await node.StandardOutput.ReadToEndAsync().InTimeAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("", await errors);
        Assert.Contains("replicatedsqlite.v1.Query: Execute Stream Transact Describe GetOutcome", lines);
        Assert.DoesNotContain(lines, line => line.Contains("internal", StringComparison.Ordinal));
        Assert.Equal("health SERVING", lines[^2]);
        Assert.True(Bookmark.TryParse(lines[^1].Replace("bookmark ", "", StringComparison.Ordinal), out _), lines[^1]);
    }

    private async Task CreateAsync()
    {
        try
        {
            await _cluster.Client(0).Admin.CreateDatabaseAsync(Name).InTimeAsync();
        }
        catch (ReplicatedSqliteException e) when (e.Code == ErrorCodes.DatabaseExists)
        {
            // It is still there.
        }
    }
}
