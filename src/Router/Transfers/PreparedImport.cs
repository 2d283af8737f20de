using System.Security.Cryptography;
using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>An import that may be carried out. What was sent is made a whole, checked database beside everything else first; only then is anything created or replaced.</summary>
public sealed class PreparedImport
{
    private const int ChunkBytes = 256 * 1024;

    private readonly TransferAdmin _transfers;
    private readonly RouterContext _context;
    private readonly ImportHeader _header;
    private readonly DatabaseRecord? _database; // null: there is none of that name, and one is created
    private readonly Caller _caller;
    private readonly DatabaseDescriber _describer;

    internal PreparedImport(TransferAdmin transfers, RouterContext context, ImportHeader header, DatabaseRecord? database, Caller caller)
    {
        _transfers = transfers;
        _context = context;
        _header = header;
        _database = database;
        _caller = caller;
        _describer = new DatabaseDescriber(context);
    }

    /// <summary>The client's, which a creation is a part of.</summary>
    internal ServerCallContext? Call { get; init; }

    /// <summary>Carries it out.</summary>
    /// <param name="path">What was sent. An image is changed.</param>
    /// <param name="cancellationToken">Gives up, with nothing done.</param>
    /// <exception cref="RequestException">It failed; unless it says otherwise everything is as it was.</exception>
    public async Task<Database> RunAsync(string path, CancellationToken cancellationToken)
    {
        using var place = _transfers.Running.Begin("Import", _database?.Name ?? _header.Database);
        var started = _context.Time.GetTimestamp();
        var (described, outcome) = await RunAsync(path, _transfers, cancellationToken);
        described.Import ??= new ImportResult { Statements = outcome.Statements, RowsRead = outcome.RowsRead, RowsWritten = outcome.RowsWritten, Changes = outcome.Changes };
        described.Import.DurationMs = _context.Time.GetElapsedTime(started).TotalMilliseconds;
        return described;
    }

    /// <summary>Another node's refusal in the contract's words.</summary>
    internal static RequestException? Translate(RpcException failure, bool readsOnly) => Forwarding.IsMoved(failure)
        ? new RequestException(ErrorCodes.NoPrimary, $"{failure.Detail}")
        : PrimaryForwarder.Translate(failure, readsOnly);

    private async Task<(Database Database, ScriptOutcome Outcome)> RunAsync(string path, TransferAdmin transfers, CancellationToken cancellationToken)
    {
        if (_database is null)
        {
            using var image = transfers.NewFile("sqlite");
            var (staged, outcome, pageSize) = await StageAsync(path, image.Path, null, cancellationToken);
            return (await CreateAsync(staged, pageSize, cancellationToken), outcome);
        }

        if (_database.PrimaryNode != _context.Self.Id)
        {
            return (await SendAsync(_header, _database, path, cancellationToken), default);
        }

        if (_header.Append)
        {
            using var lease = await _context.Primaries.UseAsync(_database.Id, cancellationToken);
            var (bookmark, outcome) = await ((ITransfers)lease.Grain).RunScriptAsync(path, cancellationToken);
            return (Describe(_database, bookmark), outcome);
        }

        using (var image = transfers.NewFile("sqlite"))
        {
            var (staged, outcome, _) = await StageAsync(path, image.Path, _database.PageSizeBytes, cancellationToken);
            return (await PutInAsync(_database, staged, cancellationToken), outcome);
        }
    }

    private async Task<(string Path, ScriptOutcome Outcome, int PageSizeBytes)> StageAsync(string path, string image, int? pageSizeBytes, CancellationToken cancellationToken)
    {
        var wanted = pageSizeBytes ?? (_header.Create?.Options is { PageSize: > 0 } options ? DatabaseSettings.PageSizeBytes(options) : null);
        try
        {
            return await _context.Workers.RunAsync(() =>
            {
                if (_header.Format == ExportFormat.Sqlite)
                {
                    return (path, default(ScriptOutcome), ImportedImage.FromImage(path, wanted));
                }

                using var sql = File.OpenRead(path);
                var outcome = ImportedImage.FromSql(image, sql, wanted ?? DatabaseSettings.PageSizeBytes(new DatabaseOptions()), cancellationToken);
                return (image, outcome, ImportedImage.PageSizeOf(image));
            });
        }
        catch (IOException e)
        {
            throw new RequestException(ErrorCodes.SqliteFull, $"The node could not make the imported database on its disk: {e.Message} Nothing was imported.");
        }
    }

    // Under a name that nobody knows until it is complete: nobody meets it empty, and a failure leaves the wanted name free.
    private async Task<Database> CreateAsync(string image, int pageSizeBytes, CancellationToken cancellationToken)
    {
        var request = _header.Create?.Clone() ?? new CreateDatabaseRequest();
        var name = request.Name.Length == 0 ? _header.Database : request.Name;
        DatabaseNames.Check(name);
        if (_context.Control.Find(name) is not null)
        {
            throw new RequestException(ErrorCodes.DatabaseExists, $"There is a database '{name}' already. Nothing was done.");
        }

        request.Name = $"import-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        request.Options ??= new DatabaseOptions();
        request.Options.PageSize = (uint)pageSizeBytes;
        var created = await new DatabaseCreator(_context).CreateAsync(request, Call!);
        var record = await _context.Control.FindNewestAsync(created.Id, cancellationToken) ?? throw DatabaseNames.NotFound(created.Id);
        var isNamed = false;
        try
        {
            var bookmark = Bookmark.Parse((await PutInAsync(record, image, cancellationToken)).Bookmark);
            isNamed = true; // until the catalogue says that it is not
            var renamed = await _context.Control.UpdateAsync(record.Id, old => old with { Name = name }, cancellationToken);
            return Describe(renamed, bookmark);
        }
        catch (Exception e) when (!isNamed || e is RequestException { Error.CommitState: CommitState.NotCommitted })
        {
            await _context.Control.DeleteAsync(record.Id, CancellationToken.None); // nobody knows of it; its nodes remove what they have
            throw;
        }
    }

    private async Task<Database> PutInAsync(DatabaseRecord database, string image, CancellationToken cancellationToken)
    {
        if (database.PrimaryNode != _context.Self.Id)
        {
            return await SendAsync(new ImportHeader { Format = ExportFormat.Sqlite, Replace = true }, database, image, cancellationToken);
        }

        using var lease = await _context.Primaries.UseAsync(database.Id, cancellationToken);
        return Describe(database, await ((ITransfers)lease.Grain).ReplaceAsync(image, cancellationToken));
    }

    private Database Describe(DatabaseRecord database, Bookmark bookmark)
    {
        var described = _describer.FromCatalogue(_context.Control.Find(database.Id) ?? database);
        described.Bookmark = bookmark.ToString();
        return described;
    }

    private async Task<Database> SendAsync(ImportHeader header, DatabaseRecord database, string path, CancellationToken cancellationToken)
    {
        var byId = header.Clone();
        byId.Database = database.Id.ToString();
        byId.Create = null;
        var nameOrId = header.Database.Length == 0 ? byId.Database : header.Database;
        var channel = _context.Channels.ForQueries(_context.Forwarder.PrimaryOf(database.Id));
        try
        {
            return await channel.CallAsync(AdminMethods.Import, PartsAsync(byId, path, cancellationToken), _context.Forwarder.Options(database.Id, nameOrId, _caller), cancellationToken);
        }
        catch (RpcException failure) when (Translate(failure, readsOnly: false) is { } translated)
        {
            throw translated;
        }
    }

    private static async IAsyncEnumerable<ImportRequest> PartsAsync(
        ImportHeader header, string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new ImportRequest { Header = header };
        await using var file = File.OpenRead(path);
        var buffer = new byte[ChunkBytes];
        while (await file.ReadAtLeastAsync(buffer, ChunkBytes, throwOnEndOfStream: false, cancellationToken) is > 0 and var read)
        {
            yield return new ImportRequest { Data = ByteString.CopyFrom(buffer.AsSpan(0, read)) };
        }
    }
}
