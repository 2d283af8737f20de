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
        Action<GrpcServices> map, GrpcServerOptions? options = null, Action<KestrelServerOptions>? kestrel = null, GrpcConnectionLimits? limits = null, ILoggerProvider? errors = null) =>
        StartAppAsync(
            app =>
            {
                var services = app.MapGrpc(options);
                map(services);
                return services.Drain;
            },
            kestrel,
            limits,
            errors);

    public CallDrain? Drain { get; private init; }

    /// <summary>A server whose answers need not be gRPC.</summary>
    public static Task<GrpcTestServer> StartRawAsync(RequestDelegate handler) => StartAppAsync(
        app =>
        {
            app.Run(handler);
            return null;
        },
        null,
        null);

    private static async Task<GrpcTestServer> StartAppAsync(
        Func<WebApplication, CallDrain?> map, Action<KestrelServerOptions>? configure, GrpcConnectionLimits? limits, ILoggerProvider? errors = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (errors is not null) builder.Logging.AddProvider(errors);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc(limits);
            configure?.Invoke(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseGrpc(limits));
        });
        var app = builder.Build();
        var drain = map(app);
        await app.StartAsync();
        return new GrpcTestServer(app) { Drain = drain };
    }

    public GrpcChannel Connect(GrpcChannelOptions? options = null) => new(Address, options);

    /// <summary>Stops as a node does: calls get this long.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience + TimeSpan.FromSeconds(1));
        var calls = Drain!.BeginAsync(patience, TimeProvider.System);
        await _app.StopAsync(limit.Token);
        await calls;
    }

    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)); // calls that a test left open are cut
        await _app.StopAsync(hurry.Token);
        await _app.DisposeAsync();
    }
}
