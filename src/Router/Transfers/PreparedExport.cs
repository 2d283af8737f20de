using System.Runtime.CompilerServices;
using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>An export that may be carried out: the database is there, and its caller may read it.</summary>
public sealed class PreparedExport
{
    private const int ChunkBytes = 256 * 1024;

    private readonly TransferAdmin _transfers;
    private readonly RouterContext _context;
    private readonly DatabaseRecord _database;
    private readonly string _nameOrId;
    private readonly ExportRequest _request;
    private readonly Bookmark? _at;
    private readonly Caller _caller;

    internal PreparedExport(TransferAdmin transfers, RouterContext context, DatabaseRecord database, string nameOrId, ExportRequest request, Bookmark? at, Caller caller)
    {
        _transfers = transfers;
        _context = context;
        _database = database;
        _nameOrId = nameOrId;
        _request = request;
        _at = at;
        _caller = caller;
    }

    /// <summary>Carries it out. The first chunk has the bookmark and the length; nothing is sent before all of it is there.</summary>
    /// <exception cref="RequestException">It cannot be carried out.</exception>
    public IAsyncEnumerable<Chunk> ReadAsync(CancellationToken cancellationToken) =>
        _database.PrimaryNode == _context.Self.Id ? ReadHereAsync(cancellationToken) : ReadThereAsync(cancellationToken);

    private async IAsyncEnumerable<Chunk> ReadHereAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var place = _transfers.Running.Begin("Export", _database.Name);
        using var image = _transfers.NewFile("sqlite");
        using var dump = _transfers.NewFile("sql");
        var bookmark = await MakeAsync(image.Path, dump.Path, cancellationToken);
        await using var file = File.OpenRead(_request.Format == ExportFormat.Sql ? dump.Path : image.Path);
        var first = new Chunk { Bookmark = bookmark.ToString(), TotalBytes = file.Length };
        var buffer = new byte[ChunkBytes];
        for (var isFirst = true; ; isFirst = false)
        {
            var read = await file.ReadAtLeastAsync(buffer, ChunkBytes, throwOnEndOfStream: false, cancellationToken);
            if (read == 0 && !isFirst)
            {
                yield break;
            }

            var chunk = isFirst ? first : new Chunk();
            chunk.Data = ByteString.CopyFrom(buffer.AsSpan(0, read));
            yield return chunk;
        }
    }

    private async Task<Bookmark> MakeAsync(string image, string dump, CancellationToken cancellationToken)
    {
        try
        {
            Bookmark bookmark;
            using (var lease = await _context.Primaries.UseAsync(_database.Id, cancellationToken))
            {
                bookmark = await ((ITransfers)lease.Grain).CopyAsync(image, _at, cancellationToken);
            }

            if (_request.Format == ExportFormat.Sql)
            {
                var wanted = _request.Sql ?? new SqlDumpOptions();
                var options = new Sqlite.SqlDumpOptions { Tables = wanted.Tables, OmitSchema = wanted.NoSchema, OmitData = wanted.NoData, OmitTransaction = wanted.NoTransaction };
                await _context.Workers.RunAsync(() =>
                {
                    using var file = File.Create(dump);
                    Sqlite.SqlDump.Write(image, file, options, cancellationToken);
                });
            }

            return bookmark;
        }
        catch (IOException e)
        {
            throw new RequestException(ErrorCodes.SqliteFull, $"The node could not write the export to its disk: {e.Message}");
        }
    }

    private async IAsyncEnumerable<Chunk> ReadThereAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = _context.Forwarder.Options(_database.Id, _nameOrId, _caller);
        var request = _request.Clone();
        request.Database = _database.Id.ToString();
        await using var stream = _context.Channels.ForQueries(_context.Forwarder.PrimaryOf(_database.Id)).OpenServerStream(AdminMethods.Export, request, options, cancellationToken);
        await using var chunks = stream.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await chunks.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (RpcException failure) when (PreparedImport.Translate(failure, readsOnly: true) is { } translated)
            {
                throw translated;
            }

            yield return chunks.Current;
        }
    }
}
