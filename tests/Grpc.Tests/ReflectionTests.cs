using Google.Protobuf.Reflection;
using global::Grpc.Health.V1;
using global::Grpc.Reflection.V1;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class ReflectionTests : IAsyncLifetime
{
    private static readonly GrpcMethod<ServerReflectionRequest, ServerReflectionResponse> Info =
        new("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo", MethodKind.Duplex);

    private GrpcTestServer _server = null!;
    private GrpcChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcTestServer.StartAsync(services =>
        {
            new HealthService().MapTo(services);
            new ReflectionService(QueryReflection.Descriptor, AdminReflection.Descriptor, HealthReflection.Descriptor).MapTo(services);
            services.MapUnary(QueryMethods.Execute, (request, _) => new ValueTask<ExecuteResponse>(new ExecuteResponse { Bookmark = $"of {request.Database}: {request.Statements[0].Sql}" }));
        });
        _channel = _server.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task A_generic_client_of_grpc_js_learns_the_services_and_calls_them(string version)
    {
        using var node = await NodePackages.StartAsync("reflection.js", _server.Address.Authority, NodePackages.ProtoFolder, version);
        var errors = node.StandardError.ReadToEndAsync();
        var lines = (await node.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("", await errors);
        Assert.Equal(
            [
                "grpc.health.v1.Health: Check Watch",
                "grpc.reflection.v1.ServerReflection: ServerReflectionInfo",
                "grpc.reflection.v1alpha.ServerReflection: ServerReflectionInfo",
                "replicatedsqlite.v1.Admin: " + string.Join(' ', AdminReflection.Descriptor.Services[0].Methods.Select(method => method.Name)),
                "replicatedsqlite.v1.Query: Execute Stream Transact Describe GetOutcome",
                "health SERVING",
                "bookmark of d: SELECT 1",
            ],
            lines);
    }

    [Theory]
    [InlineData("replicatedsqlite.v1.Query")]
    [InlineData("replicatedsqlite.v1.Query.Execute")]
    [InlineData("replicatedsqlite.v1.ExecuteRequest")]
    [InlineData("replicatedsqlite.v1.ExecuteRequest.database")]
    [InlineData("replicatedsqlite.v1.Value.kind")]
    public async Task Symbols_of_all_kinds_lead_to_their_file_with_imports_first(string symbol)
    {
        var files = Files(await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol }));
        Assert.Equal(["google/protobuf/duration.proto", "replicatedsqlite/v1/query.proto"], files.Select(file => file.Name));
        FileDescriptor.BuildFromByteStrings(files.Select(file => Google.Protobuf.MessageExtensions.ToByteString(file)));
    }

    [Fact]
    public async Task A_stream_carries_an_import_once_but_what_is_asked_for_again()
    {
        var query = new ServerReflectionRequest { FileByFilename = "replicatedsqlite/v1/query.proto" };
        var responses = await AskAsync(query, query, new ServerReflectionRequest { FileByFilename = "google/protobuf/duration.proto" });
        Assert.Equal([2, 1, 1], responses.Select(response => response.FileDescriptorResponse.FileDescriptorProto.Count));
    }

    [Fact]
    public async Task What_is_not_here_is_told_in_the_stream_and_the_stream_goes_on()
    {
        ServerReflectionRequest[] requests =
        [
            new() { FileByFilename = "replicatedsqlite/internal/v1/replication.proto" },
            new() { FileContainingSymbol = "replicatedsqlite.internal.v1.Replication" },
            new() { FileContainingSymbol = "" },
            new() { AllExtensionNumbersOfType = "no.Message" },
            new() { FileContainingExtension = new ExtensionRequest { ContainingType = "replicatedsqlite.v1.Value", ExtensionNumber = 7 } },
            new() { AllExtensionNumbersOfType = "replicatedsqlite.v1.Value" },
            new(),
            new() { ListServices = "*" },
        ];
        var responses = await AskAsync(requests);
        Assert.All(responses.Take(5), response => Assert.Equal((int)StatusCode.NotFound, response.ErrorResponse.ErrorCode));
        Assert.Empty(responses[5].AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal((int)StatusCode.InvalidArgument, responses[6].ErrorResponse.ErrorCode);
        Assert.DoesNotContain(responses[7].ListServicesResponse.Service, service => service.Name.Contains("internal", StringComparison.Ordinal));
        Assert.Equal(requests, responses.Select(response => response.OriginalRequest));
    }

    private static FileDescriptorProto[] Files(ServerReflectionResponse[] responses) =>
        [.. responses.Single().FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom)];

    private async Task<ServerReflectionResponse[]> AskAsync(params ServerReflectionRequest[] requests)
    {
        await using var call = _channel.OpenDuplex(Info);
        foreach (var request in requests) await call.WriteAsync(request);
        await call.CompleteAsync();
        return await call.Responses.ToArrayAsync();
    }
}
