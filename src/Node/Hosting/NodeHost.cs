using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>A running node: journal, grains, services and ports.</summary>
public sealed class NodeHost : IAsyncDisposable
{
    // After the streams were told that it is over, for their answers to leave.
    private static readonly TimeSpan _lastAnswers = TimeSpan.FromSeconds(1);

    private readonly Stack<IAsyncDisposable> _parts; // in the order in which they were made; they go the other way round
    private readonly WebApplication _web;
    private readonly NodeServices _services;
    private readonly IAsyncDisposable _registration;
    private readonly NodeOptions _options;
    private int _stopping; // by Interlocked

    private NodeHost(NodeRecord record, Stack<IAsyncDisposable> parts, WebApplication web, NodeServices services, IAsyncDisposable registration, FollowerNode follower, NodeOptions options)
    {
        Record = record;
        _parts = parts;
        _web = web;
        _services = services;
        _registration = registration;
        Follower = follower;
        _options = options;
    }

    /// <summary>How the others see it.</summary>
    public NodeRecord Record { get; }

    /// <summary>Its durability follower.</summary>
    internal FollowerNode Follower { get; }

    /// <summary>The product's version.</summary>
    public static string Version { get; } =
        typeof(NodeHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Starts a node; on return it answers.</summary>
    /// <exception cref="InvalidOperationException">The folder is not its own, a port is taken, or the address is not allowed.</exception>
    /// <exception cref="JournalException">The journal is damaged or in use.</exception>
    /// <exception cref="NotSupportedException">The SQLite in this process must not be used.</exception>
    public static Task<NodeHost> StartAsync(
        NodeOptions options, IControlPlane control, TimeProvider time, Random random, ILoggerFactory logging, CancellationToken cancellationToken = default) =>
        StartAsync(options, (_, _, _) => Task.FromResult(control), time, random, logging, cancellationToken);

    /// <summary>The same with a control plane of the node's own. While it is not there the node answers health checks, and is live but not ready.</summary>
    /// <param name="options">The node.</param>
    /// <param name="connect">Reaches the control plane. The data folder is this process's alone by then. What it gives is closed when the node stops.</param>
    /// <param name="time">Clock.</param>
    /// <param name="random">Makes ids, spreads what should not happen all at once.</param>
    /// <param name="logging">For what an operator should know.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <inheritdoc cref="StartAsync(NodeOptions, IControlPlane, TimeProvider, Random, ILoggerFactory, CancellationToken)"/>
    public static Task<NodeHost> StartAsync(
        NodeOptions options, Func<CancellationToken, Task<IControlPlane>> connect, TimeProvider time, Random random, ILoggerFactory logging,
        CancellationToken cancellationToken = default) => StartAsync(
            options,
            async (ports, tls, parts) =>
            {
                await using var health = new StartingHealth(ports.HttpSocket, tls?.Http.Certificate);
                return Keep(parts, await connect(cancellationToken));
            },
            time,
            random,
            logging,
            cancellationToken);

    private static async Task<NodeHost> StartAsync(
        NodeOptions options, Func<BoundPorts, NodeTls?, Stack<IAsyncDisposable>, Task<IControlPlane>> connect, TimeProvider time, Random random, ILoggerFactory logging,
        CancellationToken cancellationToken)
    {
        if (ListenPolicy.FaultOf(options) is { } fault)
        {
            throw new InvalidOperationException(fault);
        }

        SqliteVersionGate.Check(options.AllowUnfixedSqlite);
        var parts = new Stack<IAsyncDisposable>();
        try
        {
            var metrics = Keep(parts, new NodeMetrics());
            var folder = Keep(parts, NodeFolder.Open(options.DataFolder));
            using var ports = BoundPorts.Bind(options.Address, options.GrpcPort, options.HttpPort);
            var tls = options.Tls is { } files ? Keep(parts, NodeTls.Open(files, time, logging.CreateLogger("ReplicatedSqlite.Node"))) : null;
            var control = await connect(ports, tls, parts);
            folder.Claim(control.ClusterId, options.Region, options.Zone, options.NodeId, random);
            var follower = Keep(parts, FollowerNode.Start(
                new FollowerNodeOptions { Folder = folder.Journal, Disk = new MeteredDisk(options.JournalDisk, metrics.Meters, time), Known = folder.KnownJournal, Remember = folder.Remember },
                LeaseTime(time),
                random,
                logging.CreateLogger("ReplicatedSqlite.Follower")));
            var self = new NodeRecord(
                folder.NodeId,
                options.Region,
                new Uri($"{options.Scheme}://{options.AdvertisedGrpc?.Authority ?? ports.Grpc.ToString()}"),
                new Uri($"{options.Scheme}://{options.AdvertisedHttp?.Authority ?? ports.Http.ToString()}"),
                follower.JournalId)
            {
                Zone = options.Zone, Roles = options.Roles, Version = Version,
            };
            var services = Keep(parts, new NodeServices(self, options, folder, follower, control, metrics, tls, time, random, logging));
            var web = Keep(parts, Build(ports, options.Connections, tls, logging));
            services.Map(web, options);
            await web.StartAsync(cancellationToken);
            var registration = await control.RegisterAsync(self, cancellationToken);
            await services.RemoveLeftoversAsync();
            services.IsReady = true;
            return new NodeHost(self, parts, web, services, registration, follower, options);
        }
        catch
        {
            await DisposeAllAsync(parts);
            throw;
        }
    }

    /// <summary>Stops cleanly: hands its primaries over, takes no new calls, lets those under way end, checkpoints, closes everything.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0)
        {
            return;
        }

        await _services.HandOverAsync(_options.HandOverPatience); // while the others still take this node for alive
        await _registration.DisposeAsync();
        using var patience = new CancellationTokenSource(_options.StopPatience + _lastAnswers);
        var calls = _services.StopCallsAsync(_options.StopPatience);
        await _web.StopAsync(patience.Token); // closes the ports, sends GOAWAY, and waits for the calls
        await calls;
        await DisposeAllAsync(_parts);
    }

    // Leases and promises must end also while the machine sleeps. A clock that was given by hand is kept.
    internal static TimeProvider LeaseTime(TimeProvider time) => ReferenceEquals(time, TimeProvider.System) ? BootTimeProvider.Instance : time;

    private static WebApplication Build(BoundPorts ports, GrpcConnectionLimits limits, NodeTls? tls, ILoggerFactory logging)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = typeof(NodeHost).Assembly.GetName().Name });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(logging);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = ports.Take);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc(limits);
            kestrel.Listen(ports.Grpc, listen => listen.UseGrpc(limits, tls?.Grpc));
            kestrel.Listen(ports.Http, listen =>
            {
                listen.Use(next => new HttpConnectionLimit(limits.MaxConnections, next).OnConnectedAsync);
                listen.UseTls(tls?.Http);
            });
        });
        return builder.Build();
    }

    private static T Keep<T>(Stack<IAsyncDisposable> parts, T part)
        where T : IAsyncDisposable
    {
        parts.Push(part);
        return part;
    }

    private static async Task DisposeAllAsync(Stack<IAsyncDisposable> parts)
    {
        while (parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }
    }
}
