using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
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

    public static async Task<GrpcTestServer> StartAsync(Action<GrpcServices> map, GrpcServerOptions? options = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseGrpc());
        });
        var app = builder.Build();
        map(app.MapGrpc(options));
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
