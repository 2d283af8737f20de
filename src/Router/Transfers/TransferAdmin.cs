using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>Checks the calls that send or receive a whole database. Files lie on this node's disk meanwhile, so that no slow client holds a snapshot, a thread or memory.</summary>
internal sealed class TransferAdmin(RouterContext context)
{
    private readonly NameResolver _names = new(context.Control, context.Self, context.Time);
    private long _files;

    /// <summary>Those that are carried out here.</summary>
    public RunningTransfers Running { get; } = new(context.Self.Id, context.Time);

    /// <summary>A name for a file of a call.</summary>
    public TransferFile NewFile(string kind) => new(Path.Combine(context.TransferFolder, $"{Interlocked.Increment(ref _files)}.{kind}"));

    /// <exception cref="RequestException">It cannot be carried out.</exception>
    public async ValueTask<PreparedExport> PrepareExportAsync(ExportRequest request, ServerCallContext call)
    {
        if (request.Format is not (ExportFormat.Sqlite or ExportFormat.Sql))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"There is no export format {(int)request.Format}: SQLITE or SQL is wanted.");
        }

        Bookmark? at = request.Bookmark.Length == 0 ? null : Bookmark.TryParse(request.Bookmark, out var bookmark) ? bookmark : throw BookmarkErrors.Malformed(request.Bookmark);
        var database = await _names.FindAsync(request.Database, call);
        if (database.PrimaryNode != context.Self.Id)
        {
            DatabaseDescriber.RefuseSecondHop(database, call);
        }

        return new PreparedExport(this, context, database, request.Database, request, at, call.Caller());
    }

    /// <exception cref="RequestException">It cannot be carried out.</exception>
    public async ValueTask<PreparedImport> PrepareImportAsync(ImportHeader header, ServerCallContext call)
    {
        if (header.Format is not (ExportFormat.Sqlite or ExportFormat.Sql) || (header.Append && (header.Format != ExportFormat.Sql || header.Replace)))
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest, "An import is in the format SQLITE or SQL; only SQL can be appended, and what is appended replaces nothing. Nothing was done.");
        }

        var caller = call.Caller();
        if (await FindAsync(header, call) is not { } database)
        {
            if (caller is not { Right: Right.Admin, Databases: null })
            {
                throw new RequestException(ErrorCodes.TokenLacksRight, $"{caller.Describe()} may not create databases, and there is no '{header.Database}'. Nothing was done.");
            }

            DatabaseNames.Check(header.Database);
            return new PreparedImport(this, context, header, null, caller) { Call = call };
        }

        if (database.PrimaryNode != context.Self.Id)
        {
            DatabaseDescriber.RefuseSecondHop(database, call);
        }

        if (!header.Append && !header.Replace)
        {
            throw new RequestException(ErrorCodes.DatabaseExists, $"There is a database '{header.Database}' already. Say `replace` to put the import in its place. Nothing was done.");
        }

        return header.Append || caller.Right == Right.Admin
            ? new PreparedImport(this, context, header, database, caller)
            : throw new RequestException(ErrorCodes.TokenLacksRight, $"{caller.Describe()} may write, and to replace a database takes the right to administer it. Nothing was done.");
    }

    private async ValueTask<DatabaseRecord?> FindAsync(ImportHeader header, ServerCallContext call)
    {
        try
        {
            return await _names.FindAsync(header.Database, call);
        }
        catch (RequestException missing) when (missing.Error.Code == ErrorCodes.DatabaseNotFound && !header.Append && !Guid.TryParse(header.Database, out _))
        {
            return null;
        }
    }
}
