using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>The management calls, in the contract's own messages. Thread-safe.</summary>
public sealed class AdminClient
{
    private const int ImportPartBytes = 256 * 1024;

    private readonly Transport _transport;

    internal AdminClient(Transport transport) => _transport = transport;

    /// <summary>Creates a database with the cluster's defaults; its primary in <paramref name="primaryRegion"/>, or in the region of the node asked.</summary>
    public Task<Database> CreateDatabaseAsync(string name, string? primaryRegion = null, CancellationToken cancellationToken = default) =>
        CreateDatabaseAsync(new CreateDatabaseRequest { Name = name, PrimaryRegion = primaryRegion ?? "" }, cancellationToken);

    /// <summary>Creates a database.</summary>
    public Task<Database> CreateDatabaseAsync(CreateDatabaseRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.CreateDatabase, request, changes: true, cancellationToken);

    /// <summary>One database by name or id.</summary>
    public Task<Database> GetDatabaseAsync(string database, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.GetDatabase, new GetDatabaseRequest { Database = database }, changes: false, cancellationToken);

    /// <summary>The databases whose names start with <paramref name="namePrefix"/>, all pages.</summary>
    public async IAsyncEnumerable<Database> ListDatabasesAsync(
        string? namePrefix = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new ListDatabasesRequest { NamePrefix = namePrefix ?? "" };
        do
        {
            var page = await CallAsync(AdminMethods.ListDatabases, request, changes: false, cancellationToken).ConfigureAwait(false);
            foreach (var database in page.Databases) yield return database;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>Changes a database's name, replicas or options; what is unset stays.</summary>
    public Task<Database> UpdateDatabaseAsync(UpdateDatabaseRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.UpdateDatabase, request, changes: true, cancellationToken);

    /// <summary>Moves a database's primary to another region without losing a write.</summary>
    public Task<Database> MovePrimaryAsync(MovePrimaryRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.MovePrimary, request, changes: true, cancellationToken);

    /// <summary>Deletes a database.</summary>
    public Task DeleteDatabaseAsync(string database, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.DeleteDatabase, new DeleteDatabaseRequest { Database = database }, changes: true, cancellationToken);

    /// <summary>The bookmark that was current at a time; without one, the current bookmark.</summary>
    public async Task<Bookmark> GetBookmarkAsync(string database, DateTimeOffset? at = null, CancellationToken cancellationToken = default)
    {
        var request = new GetBookmarkRequest { Database = database };
        if (at is { } moment) request.At = Timestamp.FromDateTimeOffset(moment);
        var response = await CallAsync(AdminMethods.GetBookmark, request, changes: false, cancellationToken).ConfigureAwait(false);
        return ServerBookmark.Parse(response.Bookmark, mayHaveWritten: false);
    }

    /// <summary>Brings a database back to a bookmark, in place. Restoring <see cref="RestoreResponse.PreviousBookmark"/> undoes it.</summary>
    public Task<RestoreResponse> RestoreAsync(string database, Bookmark bookmark, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.Restore, new RestoreRequest { Database = database, Bookmark = bookmark.ToString() }, changes: true, cancellationToken, Timeout.InfiniteTimeSpan);

    /// <summary>A new database that begins as another was at a bookmark, or is now.</summary>
    public Task<Database> ForkAsync(string database, string newName, Bookmark? bookmark = null, CancellationToken cancellationToken = default) => CallAsync(
        AdminMethods.Fork,
        new ForkRequest { Database = database, NewName = newName, Bookmark = bookmark?.ToString() ?? "" },
        changes: true,
        cancellationToken,
        Timeout.InfiniteTimeSpan);

    /// <summary>Brings a deleted database back within its time of grace, by its id; it gets a new one.</summary>
    public Task<Database> UndeleteDatabaseAsync(string id, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.UndeleteDatabase, new UndeleteDatabaseRequest { Id = id }, changes: true, cancellationToken, Timeout.InfiniteTimeSpan);

    /// <summary>Brings a database back from cold storage when too few of its followers are left.</summary>
    public Task<RecoverDatabaseResponse> RecoverDatabaseAsync(RecoverDatabaseRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.RecoverDatabase, request, changes: true, cancellationToken, Timeout.InfiniteTimeSpan);

    /// <summary>The databases of which cold storage has something, deleted ones and lost ones too.</summary>
    public async Task<IReadOnlyList<StoredDatabase>> ListStoredDatabasesAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(AdminMethods.ListStoredDatabases, new ListStoredDatabasesRequest(), changes: false, cancellationToken).ConfigureAwait(false)).Databases;

    /// <summary>Reads everything that cold storage has of a database, and proves that it can be restored.</summary>
    public Task<VerifyDatabaseResponse> VerifyDatabaseAsync(string database, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.VerifyDatabase, new VerifyDatabaseRequest { Database = database }, changes: false, cancellationToken, Timeout.InfiniteTimeSpan);

    /// <summary>Writes a database, as an image or as SQL, to a stream. Nothing is sent before all of it is there at the node.</summary>
    /// <param name="request">Which, and how.</param>
    /// <param name="target">Where to; written from here on, and not closed.</param>
    /// <param name="progress">Told how many bytes of how many are written.</param>
    /// <param name="cancellationToken">Gives up; what was written is worthless then.</param>
    /// <returns>The bookmark of the state that it shows.</returns>
    public async Task<Bookmark> ExportAsync(ExportRequest request, Stream target, IProgress<(long Done, long Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        var nature = new CallNature(MayWrite: false, HasKey: false);
        try
        {
            var chunks = await _transport.OpenAsync(AdminMethods.Export, request, nature, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false)
                ?? throw DamagedAnswer.Create("the export has no beginning", mayHaveWritten: false);
            await using (chunks.ConfigureAwait(false))
            {
                var (bookmark, total, done) = (ServerBookmark.Parse(chunks.Current.Bookmark, mayHaveWritten: false), chunks.Current.TotalBytes, 0L);
                do
                {
                    await target.WriteAsync(chunks.Current.Data.Memory, cancellationToken).ConfigureAwait(false);
                    done += chunks.Current.Data.Length;
                    progress?.Report((done, total));
                }
                while (await chunks.MoveNextAsync().ConfigureAwait(false));

                return done == total ? bookmark : throw DamagedAnswer.Create($"the export ended after {done} of {total} bytes", mayHaveWritten: false);
            }
        }
        catch (RpcException e)
        {
            throw FailedCall.ToException(e, nature);
        }
    }

    /// <summary>Creates or replaces a database by an image or by SQL, or runs SQL in one, as a whole or not at all.</summary>
    /// <param name="header">Which, and how.</param>
    /// <param name="source">Read from here to its end, and not closed.</param>
    /// <param name="progress">Told how many bytes are sent.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Database> ImportAsync(ImportHeader header, Stream source, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var nature = new CallNature(MayWrite: true, HasKey: false);
        try
        {
            return await _transport.SendAsync(AdminMethods.Import, ImportPartsAsync(header, source, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw FailedCall.ToException(e, nature);
        }
    }

    /// <summary>The nodes, and the copies of <paramref name="database"/> if one is named.</summary>
    public Task<Topology> GetTopologyAsync(string? database = null, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.GetTopology, new GetTopologyRequest { Database = database ?? "" }, changes: false, cancellationToken);

    /// <summary>The requests under way at all nodes, the oldest first.</summary>
    /// <param name="database">Name or id; <see langword="null"/>: of all databases.</param>
    /// <param name="thisNode">Only at the node that is asked.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ListQueriesResponse> ListQueriesAsync(string? database = null, bool thisNode = false, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.ListQueries, new ListQueriesRequest { Database = database ?? "", ThisNode = thisNode }, changes: false, cancellationToken);

    /// <summary>Ends a request, wherever it is carried out; its caller is told <c>QUERY_KILLED</c>.</summary>
    public Task<KillQueryResponse> KillQueryAsync(string id, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.KillQuery, new KillQueryRequest { Id = id }, changes: false, cancellationToken);

    /// <summary>The node that answers: versions, region, cluster.</summary>
    public Task<ServerInfo> GetServerInfoAsync(CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.GetServerInfo, new GetServerInfoRequest(), changes: false, cancellationToken);

    /// <summary>A new access token. Its secret is in the answer, and nowhere else.</summary>
    public Task<CreateTokenResponse> CreateTokenAsync(CreateTokenRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.CreateToken, request, changes: true, cancellationToken);

    /// <summary>The access tokens, without their secrets.</summary>
    public async Task<IReadOnlyList<Token>> ListTokensAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(AdminMethods.ListTokens, new ListTokensRequest(), changes: false, cancellationToken).ConfigureAwait(false)).Tokens;

    /// <summary>Ends an access token, by its id; all nodes know within a second.</summary>
    public Task RevokeTokenAsync(string id, CancellationToken cancellationToken = default) =>
        CallAsync(AdminMethods.RevokeToken, new RevokeTokenRequest { Id = id }, changes: true, cancellationToken);

    private static async IAsyncEnumerable<ImportRequest> ImportPartsAsync(
        ImportHeader header, Stream source, IProgress<long>? progress, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new ImportRequest { Header = header };
        var (buffer, sent) = (new byte[ImportPartBytes], 0L);
        while (await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            yield return new ImportRequest { Data = ByteString.CopyFrom(buffer.AsSpan(0, read)) };
            progress?.Report(sent += read);
        }
    }

    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, bool changes, CancellationToken cancellationToken, TimeSpan? timeout = null)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var nature = new CallNature(MayWrite: changes, HasKey: false);
        try
        {
            return await _transport.CallAsync(method, request, nature, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw FailedCall.ToException(e, nature);
        }
    }
}
