using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>A primary's node that ships what a test tells it to: to whoever comes a snapshot, then everything behind it.</summary>
internal sealed class ScriptedPrimary : IAsyncDisposable
{
    private static readonly TimeSpan _beat = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, Script> _scripts = new();
    private readonly BlockingWorkers _workers = new("scripted", 2, 100);
    private readonly WebApplication _web;

    private ScriptedPrimary()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseGrpc());
        });
        _web = builder.Build();
        _web.MapGrpc().MapDuplex(ReplicationMethods.Subscribe, ServeAsync);
    }

    public Uri Address => new(_web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static async Task<ScriptedPrimary> StartAsync()
    {
        var primary = new ScriptedPrimary();
        await primary._web.StartAsync();
        return primary;
    }

    /// <summary>What is shipped of a database.</summary>
    public Script Add(DatabaseId database, string snapshotPath, Position at, EpochTable epochs) => _scripts[database.ToString()] = new(snapshotPath, at, epochs);

    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.Zero);
        await _web.StopAsync(hurry.Token);
        await _web.DisposeAsync();
        await _workers.DisposeAsync();
    }

    private async ValueTask ServeAsync(IAsyncEnumerable<SubscribeRequest> requests, IResponseWriter<SubscribeResponse> responses, ServerCallContext call)
    {
        await using var reports = requests.GetAsyncEnumerator(call.CancellationToken);
        Assert.True(await reports.MoveNextAsync());
        var script = _scripts[reports.Current.Hello.DatabaseId];
        Interlocked.Increment(ref script.Subscriptions);
        var epochs = new byte[EpochTableFormat.SizeOf(script.Epochs)];
        EpochTableFormat.Write(epochs, script.Epochs);
        await responses.WriteAsync(
            new() { Welcome = new() { Epoch = 1, EpochTable = Google.Protobuf.ByteString.CopyFrom(epochs), SnapshotFollows = true, ClockId = MonotonicClock.Id } }, call.CancellationToken);
        await using (var sender = new SnapshotSender(SnapshotReader.Open(script.SnapshotPath), script.At, 1, _workers, TimeProvider.System))
        {
            await sender.SendAsync((part, cancellation) => responses.WriteAsync(new() { Snapshot = part }, cancellation), call.CancellationToken);
        }

        var sent = 0;
        while (true)
        {
            var entries = script.Entries;
            var batch = new SubscribeResponse.Types.Batch { Mark = new() { Position = (entries.Length == 0 ? script.At : entries[^1].End).ToMessage() } };
            batch.Entries.AddRange(entries[sent..].Select(entry => Google.Protobuf.ByteString.CopyFrom(entry.Bytes)));
            sent = entries.Length;
            await responses.WriteAsync(new() { Batch = batch }, call.CancellationToken);
            await Task.Delay(_beat, call.CancellationToken);
        }
    }

    internal sealed class Script(string snapshotPath, Position at, EpochTable epochs)
    {
        public int Subscriptions;
        private volatile (Position End, byte[] Bytes)[] _entries = [];

        public string SnapshotPath => snapshotPath;

        public Position At => at;

        public EpochTable Epochs => epochs;

        public (Position End, byte[] Bytes)[] Entries => _entries;

        /// <summary>One thread calls this.</summary>
        public void Ship(Entry entry, bool isDamaged = false)
        {
            var bytes = entry.Encoded.ToArray();
            bytes[^10] ^= isDamaged ? (byte)1 : (byte)0;
            _entries = [.. _entries, (entry.End, bytes)];
        }
    }
}
