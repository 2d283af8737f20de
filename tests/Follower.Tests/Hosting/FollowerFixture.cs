using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Follower.Tests;

/// <summary>A node's follower on a disk in memory, behind a real port if it is asked for.</summary>
internal sealed class FollowerFixture : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _parts = [];
    private WebApplication? _web;

    public SimulatedDisk Disk { get; } = new(new Random(1));

    public JournalRecord? Known { get; set; }

    public FollowerNode Node { get; private set; } = null!;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public JournalOptions Journal { get; init; } = new() { FileSizeBytes = 256 << 10 };

    public FollowerNode Start()
    {
        Node = FollowerNode.Start(
            new()
            {
                Folder = "/journal", Disk = Disk, Journal = Journal, Known = Known, Remember = record => Known = record, ReopenPause = TimeSpan.FromMilliseconds(1),
            },
            Time, new Random(2), Logger);
        _parts.Add(Node);
        return Node;
    }

    public FollowerLinks Local() => new(Node, _ => null, "self", Time);

    /// <summary>Links of another node, which reach this one over a port.</summary>
    public async Task<FollowerLinks> RemoteAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseGrpc());
        });
        _web = builder.Build();
        new FollowerService(Node).Map(_web.MapGrpc());
        await _web.StartAsync();
        var channel = new GrpcChannel(new Uri(_web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()));
        _parts.Add(channel);
        var other = FollowerNode.Start(new() { Folder = "/other", Disk = Disk, Journal = Journal }, Time, new Random(3), NullLogger.Instance);
        _parts.Add(other);
        return new(other, _ => channel, "other", Time);
    }

    public async ValueTask DisposeAsync()
    {
        Node.BeginStop();
        if (_web is not null)
        {
            using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            await _web.StopAsync(hurry.Token);
            await _web.DisposeAsync();
        }

        foreach (var part in _parts)
        {
            await part.DisposeAsync();
        }
    }
}
