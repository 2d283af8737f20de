using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc.Server;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>A real Kestrel on a free port of the loopback, with whatever services a test maps.</summary>
internal sealed class GrpcTestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GrpcTestServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public Uri Address { get; }

    public static Task<GrpcTestServer> StartInteropAsync() => StartAsync(services => services.MapTestService());

    public static Task<GrpcTestServer> StartAsync(
        Action<GrpcServices> map, GrpcServerOptions? options = null, Action<KestrelServerOptions>? kestrel = null) =>
        StartAppAsync(app => map(app.MapGrpc(options)), kestrel);

    /// <summary>A server whose answers need not be gRPC.</summary>
    public static Task<GrpcTestServer> StartRawAsync(RequestDelegate handler) => StartAppAsync(app => app.Run(handler), null);

    private static async Task<GrpcTestServer> StartAppAsync(Action<WebApplication> map, Action<KestrelServerOptions>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            configure?.Invoke(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseGrpc());
        });
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new GrpcTestServer(app);
    }

    public GrpcChannel Connect(GrpcChannelOptions? options = null) => new(Address, options);

    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)); // calls that a test left open are cut
        await _app.StopAsync(hurry.Token);
        await _app.DisposeAsync();
    }
}
