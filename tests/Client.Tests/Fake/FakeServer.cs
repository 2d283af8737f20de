using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Speaks the contract over a real port; what it answers is the test's to say.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private FakeServer(WebApplication application) => _application = application;

    public string Address { get; private set; } = "";

    public Func<ExecuteRequest, ServerCallContext, ValueTask<ExecuteResponse>> OnExecute { get; set; } = (_, _) => new(Answer.Empty());

    public Func<StreamRequest, IResponseWriter<StreamResponse>, ServerCallContext, ValueTask> OnStream { get; set; } = async (_, writer, _) =>
        await writer.WriteAsync(Answer.Done(1));

    public Func<ExportRequest, IResponseWriter<Chunk>, ValueTask> OnExport { get; set; } = async (_, writer) =>
        await writer.WriteAsync(new Chunk { Bookmark = Answer.Bookmark(1).ToString() });

    public Func<IAsyncEnumerable<ImportRequest>, ValueTask<Database>> OnImport { get; set; } = _ => new(new Database());

    public Dictionary<string, Database> Databases { get; } = [];

    public static async Task<FakeServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureForGrpc();
            kestrel.ListenLocalhostOnAnyPort();
        });
        var application = builder.Build();
        var server = new FakeServer(application);
        application.MapGrpc()
            .MapUnary(QueryMethods.Execute, (request, context) => server.OnExecute(request, context))
            .MapServerStreaming(QueryMethods.Stream, (request, writer, context) => server.OnStream(request, writer, context))
            .MapUnary(QueryMethods.GetOutcome, (request, _) => new(new GetOutcomeResponse { State = Protocol.V1.CommitState.Committed, Bookmark = Answer.Bookmark(7).ToString() }))
            .MapUnary(AdminMethods.CreateDatabase, (request, _) => new(server.Create(request)))
            .MapUnary(AdminMethods.GetDatabase, (request, _) => new(server.Find(request.Database)))
            .MapUnary(AdminMethods.MovePrimary, (request, _) => new(server.Move(request)))
            .MapUnary(AdminMethods.DeleteDatabase, (request, _) => new(server.Delete(request)))
            .MapUnary(AdminMethods.ListDatabases, (request, _) => new(server.List(request)))
            .MapUnary(AdminMethods.GetBookmark, (_, _) => new(new GetBookmarkResponse { Bookmark = Answer.Bookmark(9).ToString() }))
            .MapUnary(AdminMethods.GetServerInfo, (_, _) => new(new ServerInfo { Region = "weur", SqliteVersion = "3.53.2" }))
            .MapServerStreaming(AdminMethods.Export, (request, writer, _) => server.OnExport(request, writer))
            .MapClientStreaming(AdminMethods.Import, (requests, _) => server.OnImport(requests))
            .MapUnary(AdminMethods.GetTopology, (request, _) => new(Topology(request)));
        await application.StartAsync();
        server.Address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
            .Replace("http://", "", StringComparison.Ordinal);
        return server;
    }

    public ReplicatedSqliteClient Connect(ReplicatedSqliteClientOptions? options = null) => new(Address, options);

    /// <summary>Stops at once, as a process that is killed: connections break.</summary>
    public async Task AbortAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private static Topology Topology(GetTopologyRequest request)
    {
        var topology = new Topology { Nodes = { new Protocol.V1.Node { Id = "n1", Region = "weur", GrpcAddress = "127.0.0.1:7101", HttpAddress = "127.0.0.1:7201", Alive = true } } };
        if (request.Database.Length == 0) return topology;
        topology.Copies.Add(new Copy { NodeId = "n1", Region = "weur", Role = Role.Primary, Bookmark = Answer.Bookmark(9).ToString(), Alive = true });
        topology.Copies.Add(new Copy { NodeId = "n2", Region = "enam", Role = Role.Replica, Bookmark = Answer.Bookmark(7).ToString(), ConfirmLagMs = 1.5, StalenessMs = 30, WritesBehind = 2, Alive = true });
        topology.Followers.Add(new Copy { NodeId = "n1", Region = "weur", Role = Role.Follower, Alive = true });
        topology.Followers.Add(new Copy { NodeId = "n3", Role = Role.Follower });
        return topology;
    }

    private Database Create(CreateDatabaseRequest request)
    {
        if (Databases.ContainsKey(request.Name)) throw new Protocol.RequestException("DATABASE_EXISTS", $"There is a database '{request.Name}' already.");
        return Databases[request.Name] = new Database
        {
            Name = request.Name,
            Id = "00000000-0000-0000-0000-00000000000" + Databases.Count,
            PrimaryRegion = request.PrimaryRegion.Length == 0 ? "weur" : request.PrimaryRegion,
            Replication = request.Replication,
            ReplicaRegions = { request.ReplicaRegions?.Regions ?? [] },
            Options = request.Options,
        };
    }

    private Database Find(string name) =>
        Databases.TryGetValue(name, out var found) ? found : throw new Protocol.RequestException("DATABASE_NOT_FOUND", $"There is no database '{name}'.");

    private DeleteDatabaseResponse Delete(DeleteDatabaseRequest request)
    {
        Find(request.Database);
        Databases.Remove(request.Database);
        return new DeleteDatabaseResponse();
    }

    private Database Move(MovePrimaryRequest request)
    {
        var moved = new Database(Find(request.Database)) { PrimaryRegion = request.Region, Epoch = 2 };
        return Databases[request.Database] = moved;
    }

    // Pages of one, so that a client that forgets the token is noticed.
    private ListDatabasesResponse List(ListDatabasesRequest request)
    {
        var all = Databases.Values.Where(d => d.Name.StartsWith(request.NamePrefix, StringComparison.Ordinal)).OrderBy(d => d.Name, StringComparer.Ordinal).ToList();
        var at = request.PageToken.Length == 0 ? 0 : int.Parse(request.PageToken, System.Globalization.CultureInfo.InvariantCulture);
        var response = new ListDatabasesResponse { NextPageToken = at + 1 < all.Count ? $"{at + 1}" : "" };
        if (at < all.Count) response.Databases.Add(all[at]);
        return response;
    }
}

file static class KestrelAddress
{
    public static void ListenLocalhostOnAnyPort(this Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions kestrel) =>
        kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseGrpc());
}
