using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary><c>replicatedsqlite.v1.Admin</c> on one node.</summary>
public sealed partial class AdminService(RouterContext context, RunningQueries queries)
{
    /// <summary>Of <c>proto/replicatedsqlite/v1</c>: goes up by one with every field or method that is added.</summary>
    public const uint ContractRevision = 3;

    private const int DefaultListSize = 100;
    private const int MaxListSize = 1000;

    private readonly DatabaseCreator _creator = new(context);
    private readonly DatabaseDescriber _describer = new(context);
    private readonly DatabaseUpdater _updater = new(context);
    private readonly ArchiveAdmin _archive = new(context);
    private readonly TokenAdmin _tokens = new(context);
    private readonly NameResolver _names = new(context.Control, context.Self, context.Time);
    private readonly TransferAdmin _transfers = new(context);

    /// <summary>Adds the service to a node's endpoints.</summary>
    public void Map(GrpcServices services)
    {
        var running = new QueryAdmin(context, queries, _transfers.Running);
        services.MapUnary(AdminMethods.CreateDatabase, async (request, call) => await _creator.CreateAsync(request, call));
        services.MapUnary(AdminMethods.GetDatabase, DescribeAsync);
        services.MapUnary(AdminMethods.ListDatabases, (request, call) => ValueTask.FromResult(List(request, call.Caller())));
        services.MapUnary(AdminMethods.UpdateDatabase, UpdateAsync);
        services.MapUnary(AdminMethods.DeleteDatabase, DeleteAsync);
        services.MapUnary(AdminMethods.MovePrimary, MovePrimaryAsync);
        services.MapUnary(AdminMethods.GetBookmark, GetBookmarkAsync);
        services.MapUnary(AdminMethods.GetTopology, async (request, call) => await new TopologyReader(context).ReadAsync(request, call));
        services.MapUnary(AdminMethods.ListQueries, async (request, call) => await running.ListAsync(request, call));
        services.MapUnary(AdminMethods.KillQuery, async (request, call) => await running.KillAsync(request, call));
        services.MapUnary(AdminMethods.GetServerInfo, (_, _) => ValueTask.FromResult(GetServerInfo()));

        services.MapUnary(AdminMethods.CreateToken, _tokens.CreateAsync);
        services.MapUnary(AdminMethods.ListTokens, (_, call) => _tokens.ListAsync(call));
        services.MapUnary(AdminMethods.RevokeToken, _tokens.RevokeAsync);

        services.MapUnary(AdminMethods.Restore, RestoreAsync);
        services.MapUnary(AdminMethods.Fork, ForkAsync);
        services.MapUnary(AdminMethods.UndeleteDatabase, async (request, call) => await _archive.UndeleteAsync(request, call));
        services.MapUnary(AdminMethods.RecoverDatabase, async (request, call) => await _archive.RecoverAsync(request, call));
        services.MapUnary(AdminMethods.ListStoredDatabases, async (_, call) => await _archive.ListAsync(call.CancellationToken));
        services.MapUnary(AdminMethods.VerifyDatabase, VerifyAsync);
        services.MapServerStreaming(AdminMethods.Export, ExportAsync);
        services.MapClientStreaming(AdminMethods.Import, ImportAsync);
    }

    private ValueTask<Database> DescribeAsync(GetDatabaseRequest request, ServerCallContext call) =>
        _names.RunAsync(request.Database, call, database => _describer.DescribeAsync(database, request.Database, call));

    private ValueTask<Database> UpdateAsync(UpdateDatabaseRequest request, ServerCallContext call)
    {
        var name = request.Database;
        return _names.RunAsync(name, call, database =>
        {
            request.Database = name; // a first try may have passed it on by id
            return _updater.UpdateAsync(request, database, call);
        });
    }

    private ListDatabasesResponse List(ListDatabasesRequest request, Caller caller)
    {
        var size = request.PageSize == 0 ? DefaultListSize : (int)Math.Min(request.PageSize, MaxListSize);
        var found = List(request, size + 1, caller); // one more tells whether there is a next page
        var response = new ListDatabasesResponse();
        response.Databases.AddRange(found.Take(size).Select(_describer.FromCatalogue));
        if (found.Count > size)
        {
            response.NextPageToken = found[size - 1].Name;
        }

        return response;
    }

    private IReadOnlyList<DatabaseRecord> List(ListDatabasesRequest request, int count, Caller caller) => caller.Databases is not { } visible
        ? context.Control.List(request.NamePrefix, request.PageToken, count)
        : [.. visible.Select(context.Control.Find).OfType<DatabaseRecord>()
            .Where(database => database.Name.StartsWith(request.NamePrefix, StringComparison.Ordinal) && string.CompareOrdinal(database.Name, request.PageToken) > 0)
            .OrderBy(database => database.Name, StringComparer.Ordinal)
            .Take(count)];

    private ValueTask<DeleteDatabaseResponse> DeleteAsync(DeleteDatabaseRequest request, ServerCallContext call) =>
        _names.RunAsync(request.Database, call, async database =>
        {
            if (database.PrimaryNode != context.Self.Id)
            {
                DatabaseDescriber.RefuseSecondHop(database, call);
                var byId = new DeleteDatabaseRequest { Database = database.Id.ToString() };
                return await _describer.ForwardAsync(AdminMethods.DeleteDatabase, byId, database, request.Database, call);
            }

            await _archive.CloseAsync(database, call.CancellationToken);
            await context.BuryAsync(database.Id, call.CancellationToken); // from here on nobody can confirm anything, whatever he believes
            await context.Control.DeleteAsync(database.Id, call.CancellationToken);
            await _archive.MarkDeletedAsync(database);
            await context.RemoveLocalAsync(database.Id);
            return new DeleteDatabaseResponse();
        });

    private ValueTask<Database> MovePrimaryAsync(MovePrimaryRequest request, ServerCallContext call) =>
        _names.RunAsync(request.Database, call, async database =>
        {
            new DatabaseSettings(context.Control).Region(request.Region);
            if (database.PrimaryNode != context.Self.Id)
            {
                DatabaseDescriber.RefuseSecondHop(database, call);
                var byId = new MovePrimaryRequest { Database = database.Id.ToString(), Region = request.Region };
                return await _describer.ForwardAsync(AdminMethods.MovePrimary, byId, database, request.Database, call);
            }

            await context.MoveAsync(database, request.Region, call.CancellationToken);
            return await _describer.DescribeMovedAsync(context.Control.Find(database.Id) ?? database, request.Database, call);
        });

    private async ValueTask<GetBookmarkResponse> GetBookmarkAsync(GetBookmarkRequest request, ServerCallContext call)
    {
        if (request.At is null)
        {
            var described = await DescribeAsync(new GetDatabaseRequest { Database = request.Database }, call);
            return new GetBookmarkResponse { Bookmark = described.Bookmark };
        }

        return await AtPrimaryAsync(
            AdminMethods.GetBookmark,
            request.Database,
            database => new GetBookmarkRequest { Database = database, At = request.At },
            call,
            async (_, primary) =>
            {
                var at = (request.At.Seconds * 1_000_000) + (request.At.Nanos / 1000);
                return new GetBookmarkResponse { Bookmark = (await primary.FindBookmarkAsync(at, call.CancellationToken)).ToString() };
            });
    }

    private ValueTask<RestoreResponse> RestoreAsync(RestoreRequest request, ServerCallContext call)
    {
        if (!Bookmark.TryParse(request.Bookmark, out var bookmark))
        {
            throw BookmarkErrors.Malformed(request.Bookmark);
        }

        return AtPrimaryAsync(
            AdminMethods.Restore,
            request.Database,
            database => new RestoreRequest { Database = database, Bookmark = request.Bookmark },
            call,
            async (_, primary) =>
            {
                var restored = await primary.RestoreAsync(bookmark, call.CancellationToken);
                return new RestoreResponse
                {
                    Bookmark = restored.Bookmark.ToString(), PreviousBookmark = restored.Previous.ToString(), RestoredTo = restored.RestoredTo.ToString(),
                };
            });
    }

    private ValueTask<Database> ForkAsync(ForkRequest request, ServerCallContext call)
    {
        Bookmark? bookmark = request.Bookmark.Length == 0 ? null : Bookmark.TryParse(request.Bookmark, out var given) ? given : throw BookmarkErrors.Malformed(request.Bookmark);
        _archive.CheckFork(request);
        return _names.RunAsync(request.Database, call, async database =>
        {
            if (database.PrimaryNode != context.Self.Id)
            {
                DatabaseDescriber.RefuseSecondHop(database, call);
                var byId = new ForkRequest(request) { Database = database.Id.ToString() };
                return await _describer.ForwardAsync(AdminMethods.Fork, byId, database, request.Database, call);
            }

            using (var lease = await context.Primaries.UseAsync(database.Id, call.CancellationToken))
            {
                await ((ITimeTravel)lease.Grain).StoreAsync(bookmark, call.CancellationToken);
            }

            return await _archive.ForkAsync(database, request.NewName, request.PrimaryRegion, bookmark, call);
        });
    }

    private ValueTask<VerifyDatabaseResponse> VerifyAsync(VerifyDatabaseRequest request, ServerCallContext call) => AtPrimaryAsync(
        AdminMethods.VerifyDatabase,
        request.Database,
        database => new VerifyDatabaseRequest { Database = database },
        call,
        async (database, primary) =>
        {
            await primary.StoreAsync(null, call.CancellationToken); // what is confirmed counts
            return await _archive.VerifyAsync(database.Id, call.CancellationToken);
        });

    // On the primary's node, which is this one or another.
    private ValueTask<TResponse> AtPrimaryAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, string name, Func<string, TRequest> byId, ServerCallContext call, Func<DatabaseRecord, ITimeTravel, Task<TResponse>> run)
        where TRequest : class, Google.Protobuf.IMessage<TRequest>, new()
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new() => _names.RunAsync(name, call, async database =>
        {
            if (database.PrimaryNode != context.Self.Id)
            {
                DatabaseDescriber.RefuseSecondHop(database, call);
                return await _describer.ForwardAsync(method, byId(database.Id.ToString()), database, name, call);
            }

            using var lease = await context.Primaries.UseAsync(database.Id, call.CancellationToken);
            return await run(database, (ITimeTravel)lease.Grain);
        });

    private async ValueTask ExportAsync(ExportRequest request, IResponseWriter<Chunk> responses, ServerCallContext call)
    {
        var export = await _transfers.PrepareExportAsync(request, call);
        await foreach (var chunk in export.ReadAsync(call.CancellationToken))
        {
            await responses.WriteAsync(chunk, call.CancellationToken);
        }
    }

    private async ValueTask<Database> ImportAsync(IAsyncEnumerable<ImportRequest> requests, ServerCallContext call)
    {
        await using var parts = requests.GetAsyncEnumerator(call.CancellationToken);
        var header = await parts.MoveNextAsync() ? parts.Current.Header : null;
        if (header is null)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "An import begins with its header. Nothing was done.");
        }

        var import = await _transfers.PrepareImportAsync(header, call);
        using var upload = _transfers.NewFile("upload");
        await ImportUpload.ReceiveAsync(parts, upload.Path, call.CancellationToken);
        return await import.RunAsync(upload.Path, call.CancellationToken);
    }

    private ServerInfo GetServerInfo() => new()
    {
        Version = context.Version,
        SqliteVersion = context.SqliteVersion,
        ClusterId = context.Control.ClusterId,
        NodeId = context.Self.Id,
        Region = context.Self.Region,
        ContractRevision = ContractRevision,
    };
}
