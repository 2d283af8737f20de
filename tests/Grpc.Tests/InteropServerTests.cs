namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>gRPC's interoperability cases: a grpc-js client against our server.</summary>
public sealed class InteropServerTests
{
    private static readonly string[] Cases =
    [
        "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "cancel_after_begin",
        "cancel_after_first_response", "timeout_on_sleeping_server", "custom_metadata", "status_code_and_message", "special_status_message",
        "unimplemented_method", "unimplemented_service", "compressed_both_ways",
    ];

    [Fact]
    public async Task A_client_of_grpc_js_passes_every_case()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapTestService(), new Server.GrpcServerOptions()); // gzip as it is by default: the larger answers come in it
        using var node = await NodePackages.StartAsync("client.js", [server.Address.Authority, .. Cases]);
        var errors = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync();
        Assert.Equal(string.Concat(Cases.Select(name => name + " ok\n")), output);
        Assert.Equal("", await errors);
    }
}
