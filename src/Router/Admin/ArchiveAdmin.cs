using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>What is done with databases in cold storage: forked, deleted for a while, brought back, proven.</summary>
internal sealed class ArchiveAdmin(RouterContext context)
{
    private const uint EpochsLeftOut = 1000; // of before, that nobody here may know of

    private static readonly TimeSpan _closing = TimeSpan.FromSeconds(10);

    private readonly DatabaseDescriber _describer = new(context);
    private readonly DatabaseSettings _settings = new(context.Control);
    private readonly DatabaseCreator _creator = new(context);

    private IArchive Archive => context.Archive ?? throw new RequestException(
        ErrorCodes.InvalidRequest, "This cluster keeps no cold storage. Start its nodes with a folder or bucket for it. Nothing was done.");

    /// <summary>Refuses what cannot be, before anything is uploaded for it.</summary>
    public void CheckFork(ForkRequest request)
    {
        _ = Archive;
        CheckName(request.NewName);
        if (request.PrimaryRegion.Length > 0)
        {
            _settings.Region(request.PrimaryRegion);
        }
    }

    /// <summary>A new database that begins with a state of another. Everything up to that is in cold storage.</summary>
    /// <param name="source">Its settings are taken over.</param>
    /// <param name="name">Of the new one.</param>
    /// <param name="region">Of its primary; empty: the source's.</param>
    /// <param name="at">The state; <see langword="null"/>: the newest in cold storage.</param>
    /// <param name="call">The client's.</param>
    public async Task<Database> ForkAsync(DatabaseRecord source, string name, string region, Bookmark? at, ServerCallContext call)
    {
        var fork = _creator.NewId();
        var begin = await Archive.ForkAsync(source.Id, fork, at, call.CancellationToken);
        DatabaseRecord record;
        try
        {
            record = Place(source with { Id = fork, Name = name, CreatedAt = _creator.Now() }, region, begin);
            await context.Control.CreateAsync(record, call.CancellationToken);
        }
        catch (RequestException e) when (e.Error.CommitState == CommitState.NotCommitted) // else it may be there, and needs what it begins with
        {
            await Archive.RemoveForkAsync(fork, CancellationToken.None);
            throw;
        }

        try
        {
            return await _describer.DescribeMovedAsync(record, record.Name, call);
        }
        catch (Exception failure) when (failure is RequestException or RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            throw DatabaseCreator.NotUpYet(record, failure); // it is there
        }
    }

    /// <summary>Brings a deleted database back, as a new one of the same name: an id is never used twice.</summary>
    public async Task<Database> UndeleteAsync(UndeleteDatabaseRequest request, ServerCallContext call)
    {
        var id = Guid.TryParse(request.Id, out var guid) ? new DatabaseId(guid) : throw Invalid($"'{request.Id}' is no id of a database: a UUID is wanted.");
        if (context.Control.Find(id) is { } alive)
        {
            throw Invalid($"'{alive.Name}' ({id}) is not deleted.");
        }

        var archived = await Archive.FindAsync(id, call.CancellationToken)
            ?? throw new RequestException(ErrorCodes.DatabaseNotFound, $"Cold storage has nothing of a database {id}: it was never there, or its time of grace is over.");
        var deletedAt = archived.DeletedAt ?? (context.Control.IsDeleted(id) ? context.Time.GetUtcNow() : throw Invalid(
            $"'{archived.Record.Name}' ({id}) was not deleted; the cluster does not know of it. `rsql recover --accept-loss {id}` brings it back."));
        if (context.Time.GetUtcNow() - deletedAt > Archive.DeletionGrace)
        {
            throw Invalid($"'{archived.Record.Name}' ({id}) was deleted at {deletedAt:u}, more than {Archive.DeletionGrace.TotalDays:0.#} days ago: its time of grace is over.");
        }

        CheckName(archived.Record.Name);
        return await ForkAsync(archived.Record, archived.Record.Name, "", at: null, call);
    }

    /// <summary>Brings a database back that too few followers are left of.</summary>
    public async Task<RecoverDatabaseResponse> RecoverAsync(RecoverDatabaseRequest request, ServerCallContext call)
    {
        Bookmark? bookmark = request.Bookmark.Length == 0 ? null : Bookmark.TryParse(request.Bookmark, out var given) ? given : throw BookmarkErrors.Malformed(request.Bookmark);
        var known = await context.Control.FindNewestAsync(request.Database, call.CancellationToken);
        var database = known ?? await FindLostAsync(request.Database, call.CancellationToken);
        if (!request.AcceptLoss)
        {
            throw Invalid($"'{database.Name}' would come back as cold storage has it: writes that were confirmed and had not got there are lost. Say that you accept that (--accept-loss).");
        }

        if (known?.FollowerSet is { } set && context.Control.Nodes.Count(node => set.Contains(node.JournalId)) is var alive && alive >= set.SealQuorum)
        {
            throw Invalid($"{alive} of {set.Members.Length} followers of '{database.Name}' are there, and {set.SealQuorum} are enough: nothing is lost, and nothing need be. If it does not answer, see why: rsql topology {database.Name}.");
        }

        if (known is null && context.Control.IsDeleted(database.Id))
        {
            throw Invalid($"'{database.Name}' ({database.Id}) was deleted. `rsql undelete {database.Id}` brings it back.");
        }

        var begin = await Archive.LocateAsync(database.Id, bookmark, call.CancellationToken);
        var region = request.PrimaryRegion.Length > 0 ? _settings.Region(request.PrimaryRegion)
            : context.Control.Nodes.Any(node => node.Region == database.PrimaryRegion && node.MayLead) ? database.PrimaryRegion : "";
        DatabaseRecord Recovered(DatabaseRecord old) => Place(old, region, begin) with
        {
            AcceptsLoss = true,
            LeastEpoch = checked(Math.Max(Math.Max(old.Epoch, old.LeastEpoch), begin.Position.Epoch) + EpochsLeftOut),
        };
        var record = Recovered(database);
        if (known is not null)
        {
            record = await context.Control.UpdateAsync(database.Id, Recovered, call.CancellationToken);
        }
        else
        {
            await context.Control.CreateAsync(record, call.CancellationToken);
        }

        var described = await _describer.DescribeMovedAsync(record, record.Name, call);
        return new RecoverDatabaseResponse
        {
            Database = described, RecoveredTo = begin.Position.ToBookmark(database.Id).ToString(), CommittedAt = Timestamp.FromDateTimeOffset(begin.CommittedAt),
        };
    }

    /// <summary>What cold storage has.</summary>
    public async Task<ListStoredDatabasesResponse> ListAsync(CancellationToken cancellationToken)
    {
        var response = new ListStoredDatabasesResponse();
        foreach (var (record, deletedAt) in await Archive.ListAsync(cancellationToken))
        {
            var stored = new Protocol.V1.StoredDatabase { Id = record.Id.ToString(), Name = record.Name, Known = context.Control.Find(record.Id) is not null };
            if (deletedAt is { } at)
            {
                (stored.DeletedAt, stored.KeptUntil) = (Timestamp.FromDateTimeOffset(at), Timestamp.FromDateTimeOffset(at + Archive.DeletionGrace));
            }

            response.Databases.Add(stored);
        }

        return response;
    }

    /// <summary>Proves that a database can be restored.</summary>
    public async Task<VerifyDatabaseResponse> VerifyAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        var proof = await Archive.VerifyAsync(database, cancellationToken);
        return new VerifyDatabaseResponse
        {
            FirstBookmark = proof.From.ToBookmark(database).ToString(),
            LastBookmark = proof.To.ToBookmark(database).ToString(),
            Objects = proof.Objects,
            Bytes = proof.Bytes,
            Entries = proof.Entries,
            Snapshots = proof.Snapshots,
        };
    }

    /// <summary>A database is about to be deleted: what is confirmed goes to cold storage first, so that all of it can be undeleted.</summary>
    public async Task CloseAsync(DatabaseRecord database, CancellationToken cancellationToken)
    {
        if (context.Archive is null)
        {
            return;
        }

        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(_closing);
            using var lease = await context.Primaries.UseAsync(database.Id, patience.Token);
            await ((ITimeTravel)lease.Grain).CloseAsync(patience.Token);
        }
        catch (Exception e) when (e is RequestException or IOException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            RouterLog.DeletedWithoutNewest(context.Logger, database.Id, e.Message); // who deletes a database that does not work any more is not held up for that
        }
    }

    /// <summary>A database was deleted.</summary>
    public async Task MarkDeletedAsync(DatabaseRecord database)
    {
        if (context.Archive is not { } archive)
        {
            return;
        }

        try
        {
            await archive.MarkDeletedAsync(database, CancellationToken.None);
        }
        catch (RequestException e)
        {
            RouterLog.DeletionNotMarked(context.Logger, database.Id, e.Message); // the catalogue says so as well
        }
    }

    private async Task<DatabaseRecord> FindLostAsync(string nameOrId, CancellationToken cancellationToken)
    {
        if (Guid.TryParse(nameOrId, out var id) && await Archive.FindAsync(new DatabaseId(id), cancellationToken) is { } byId)
        {
            return byId.Record;
        }

        var found = (await Archive.ListAsync(cancellationToken)).Where(stored => stored.DeletedAt is null && stored.Record.Name == nameOrId).ToList();
        return found.Count switch
        {
            1 => found[0].Record,
            0 => throw DatabaseNames.NotFound(nameOrId),
            _ => throw Invalid($"Cold storage has {found.Count} databases that were named '{nameOrId}': {string.Join(", ", found.Select(static stored => stored.Record.Id))}. Name one by its id."),
        };
    }

    // A primary, and followers that are there, those that have something of its log among them.
    private DatabaseRecord Place(DatabaseRecord database, string region, ArchivedState begin)
    {
        var node = _creator.PrimaryIn(region.Length > 0 ? region : context.Control.Nodes.Any(node => node.Region == database.PrimaryRegion && node.MayLead) ? database.PrimaryRegion : null);
        var able = context.Control.Nodes.Count(static other => other.MayFollow);
        var wanted = database.WantedFollowers <= able ? database.WantedFollowers : null;
        var (followers, quorum) = FollowerPlacement.Choose(
            context.Control.Nodes, node.Id, database.Followers, wanted, wanted is null ? null : database.WantedQuorum, other => context.Reach.Between(node.Id, other.Id));
        return database with
        {
            PrimaryRegion = node.Region, PrimaryNode = node.Id, Followers = followers, Quorum = quorum, BeginsAt = begin.Position, Epoch = 0, PageSizeBytes = begin.PageSizeBytes,
        };
    }

    private void CheckName(string name)
    {
        DatabaseNames.Check(name);
        if (context.Control.Find(name) is { } taken)
        {
            throw new RequestException(ErrorCodes.DatabaseExists, $"A database named '{name}' exists already (id {taken.Id}). Give that another name first, or choose another. Nothing was done.");
        }
    }

    private static RequestException Invalid(string message) => new(ErrorCodes.InvalidRequest, message + " Nothing was done.");
}
