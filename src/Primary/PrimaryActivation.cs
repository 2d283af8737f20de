using System.Security.Cryptography;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The way to a leadership: win an epoch, recover the log from the followers, confirm the entry that opens the epoch, replay the file; only then is anything answered.</summary>
internal sealed class PrimaryActivation(PrimaryContext context, DatabaseId database)
{
    private const int Attempts = 4;

    // Idempotency keys live in the database itself, so that they are there exactly as long as what they stand for.
    private const string CreateRequestsTable =
        """
        CREATE TABLE _rs_requests (
          key TEXT PRIMARY KEY NOT NULL, request_hash BLOB NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
          committed_at INTEGER NOT NULL, result BLOB) WITHOUT ROWID;
        CREATE INDEX _rs_requests_committed_at ON _rs_requests (committed_at);
        """;

    private readonly string _folder = context.FolderOf(database);
    private Sidecar? _unsynced; // of a file that this activation has built and nobody has synced: after a crash it is built again

    private string FilePath => context.FileOf(database);

    public async Task<PrimaryGrain> RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_folder);
        DurableFile.SyncFolderOf(_folder);
        uint above = 0;
        for (var attempt = 1; ; attempt++)
        {
            var record = context.Control.Find(database) ??
                throw new RequestException(ErrorCodes.DatabaseNotFound, $"The database {database} does not exist any more.");
            if (attempt > 1 && record.PrimaryNode != context.Self.Id)
            {
                throw new RequestException(ErrorCodes.NoPrimary, $"Another node has begun to lead '{record.Name}' meanwhile. Nothing was done; try again.");
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await using var bases = new BaseFetch(context, record, () => patience.CancelAfter(context.Options.QuorumPatience)); // as long as a copy comes, it is waited for
            await BeginLogAsync(record, bases, cancellationToken);
            var start = await BeginAsync(record, above, cancellationToken);
            var leadership = new Leadership(start, context, (first, fromElsewhere, cancellation) => ObtainBaseAsync(bases, first, fromElsewhere, cancellation));
            try
            {
                patience.CancelAfter(context.Options.QuorumPatience);
                return await RunAsync(record, start, leadership, bases, patience.Token, cancellationToken);
            }
            catch (Exception e)
            {
                await leadership.DisposeAsync();
                _unsynced = null; // part of the log may be in it: it is not trusted any more
                if (e is not RequestException || attempt == Attempts || !leadership.Lost.IsCompletedSuccessfully
                    || (await leadership.Lost).Reason is not (LossReason.EpochUsed or LossReason.OwnJournal or LossReason.Superseded))
                {
                    throw;
                }

                // The epoch is no good: the catalogue is older than the followers, or this node remembered too much. A higher one may be.
                above = Math.Max(start.Promise.Epoch, (await leadership.Lost).Higher?.Epoch ?? 0);
            }
        }
    }

    // With the promise that an idle grain left here, else with a new epoch.
    private async Task<LeaderStart> BeginAsync(DatabaseRecord record, uint above, CancellationToken cancellationToken)
    {
        var (ownSets, promised) = context.OwnFollower.StateOf(database);
        var hint = record.FollowerSet ?? new FollowerSet([context.OwnFollower.Journal], 1);
        if (record.AcceptsLoss)
        {
            return await BeginWithLossAsync(record, hint, above, promised, cancellationToken);
        }

        var wanted = FollowerPlacement.Change(context.Control.Nodes, context.Self.Id, record, context.DistanceTo, context.Lost);
        if (context.Released.Take(database) is { } released && above == 0 && wanted is null // a set changes with an epoch
            && record.Epoch == released.Promise.Epoch && record.PrimaryNode == context.Self.Id && promised == released.Promise)
        {
            return new LeaderStart(database, released.Promise, context.OwnFollower.Journal, hint, ownSets.LastOrDefault()) { OlderSets = ownSets, Resumed = released.End };
        }

        var promise = await TakeEpochAsync(record, above, promised, cancellationToken);
        return new LeaderStart(database, promise, context.OwnFollower.Journal, hint, ownSets.LastOrDefault(), wanted) { OlderSets = ownSets };
    }

    // The followers that the catalogue names, and nobody else, whatever the logs know of sets: those who would have to be asked are gone.
    private async Task<LeaderStart> BeginWithLossAsync(DatabaseRecord record, FollowerSet hint, uint above, Promise promised, CancellationToken cancellationToken) =>
        new(database, await TakeEpochAsync(record, above, promised, cancellationToken), context.OwnFollower.Journal, hint, OwnSets: null) { AcceptsLoss = true };

    private async Task<Promise> TakeEpochAsync(DatabaseRecord record, uint above, Promise promised, CancellationToken cancellationToken)
    {
        var own = Math.Max(promised.Epoch, context.OwnFollower.LogOf(database).Last.Epoch);
        var epoch = await context.Control.TakeEpochAsync(database, context.Self.Id, record.Epoch, Math.Max(Math.Max(above, own), record.LeastEpoch), cancellationToken);
        return new Promise(epoch, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    }

    // A log of which the beginning is in cold storage: its first state is built, and the own log begins there. What followers hold behind it is adopted as ever.
    private async Task BeginLogAsync(DatabaseRecord record, BaseFetch bases, CancellationToken cancellationToken)
    {
        if (record.BeginsAt is not { } begin || context.OwnFollower.LogOf(database).Last >= begin)
        {
            return;
        }

        if (LocalRecovery.BaseOf(FilePath, database) == begin)
        {
            // It was built before.
        }
        else if (await bases.BuildAsync(begin, cancellationToken, mayBeUnsynced: !record.AcceptsLoss) is { } built)
        {
            _unsynced = built.Unsynced;
        }
        else
        {
            throw new RequestException(
                ErrorCodes.NoPrimary, $"The log of '{record.Name}' ({database}) begins at {begin}, and the state there cannot be built: {bases.Refusals}. Nothing was done; try again.");
        }

        await context.OwnFollower.BeginAtAsync(database, begin);
    }

    private async Task<DurableBase?> ObtainBaseAsync(BaseFetch bases, Position first, bool fromElsewhere, CancellationToken cancellationToken) =>
        !fromElsewhere && (_unsynced?.From ?? LocalRecovery.BaseOf(FilePath, database)) is { } own && own >= first ? new DurableBase(own, null) : await FetchAsync(bases, first, cancellationToken);

    private async Task<DurableBase?> FetchAsync(BaseFetch bases, Position first, CancellationToken cancellationToken)
    {
        var fetched = await bases.RunAsync(first, cancellationToken);
        _unsynced = fetched is null ? _unsynced : null; // another file is in its place
        return fetched;
    }

    // A node may lead whose copy is older than what is left of the log, or that has none. Where there was only one, the look at the file says what is missing.
    private async Task EnsureBaseAsync(DatabaseRecord record, BaseFetch bases, Position last, CancellationToken cancellationToken)
    {
        var first = context.OwnFollower.LogOf(database).First;
        var lacksBase = !(_unsynced?.From >= first) && LocalRecovery.LacksBase(FilePath, database, first);
        if (record is { AcceptsLoss: true, BeginsAt: { } begin } && (lacksBase || LocalRecovery.IsNewer(FilePath, database, last)))
        {
            // A copy of before may show what is lost: none of those is taken. That it cannot be built, the look at the file says.
            if (await bases.BuildAsync(begin, cancellationToken) is not null)
            {
                _unsynced = null; // another file is in its place
            }
        }
        else if (lacksBase && (record.Followers.Length > 1 || context.Cold is not null) && await FetchAsync(bases, first, cancellationToken) is null)
        {
            throw new RequestException(
                ErrorCodes.NoPrimary,
                $"This node cannot lead {database}: its log begins at {first}, its own copy holds {LocalRecovery.BaseOf(FilePath, database)?.ToString() ?? "nothing"}, " +
                $"and no other node gave one that is new enough ({bases.Refusals}). Start a node that has a copy, or bring this node's files back. Nothing was done.");
        }

        await bases.DisposeAsync(); // one that recovery has given up may be under way still
    }

    private async Task<PrimaryGrain> RunAsync(
        DatabaseRecord record, LeaderStart start, Leadership leadership, BaseFetch bases, CancellationToken patience, CancellationToken cancellationToken)
    {
        Position end;
        LocalCopy copy;
        try
        {
            if (start.Resumed is { } resumed)
            {
                leadership.Begin();
                end = resumed;
                await EnsureBaseAsync(record, bases, end, patience);
                copy = await context.Writers.RunAsync(() => LocalRecovery.Look(FilePath, record, context.OwnFollower, end, _unsynced));
            }
            else
            {
                var adoption = await leadership.RecoverAsync(patience);
                if (record.BeginsAt is { } begin && adoption.Position < begin)
                {
                    throw new RequestException(ErrorCodes.NoPrimary, $"The log of '{record.Name}' ({database}) begins at {begin}; the followers have none of it. Nothing was done; try again.");
                }

                await EnsureBaseAsync(record, bases, adoption.Position, patience);
                copy = await context.Writers.RunAsync(() => LocalRecovery.Look(FilePath, record, context.OwnFollower, adoption.Position, _unsynced));
                var opening = OpenEpoch(record, copy, start.Promise.Epoch, adoption);
                await leadership.OpenAsync(opening, patience);
                (end, copy) = (opening.End, copy with { State = new LogState(opening.EpochTable!, opening.Header.CommitTimeMicroseconds) });
            }

            await leadership.KeepAsync(end).WaitAsync(patience);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RequestException(
                ErrorCodes.QuorumUnavailable, $"The primary of '{record.Name}' cannot begin: {leadership.DescribeMissing()} Nothing was done; try again.");
        }

        var replayed = await context.Writers.RunAsync(() => LocalRecovery.Replay(FilePath, record, context.OwnFollower, copy, end));
        await NameFollowersAsync(record, leadership, start.Promise.Epoch, cancellationToken);
        if (record.BeginsAt is not null || record.AcceptsLoss)
        {
            await context.Control.UpdateAsync(database, static begun => begun with { BeginsAt = null, AcceptsLoss = false }, cancellationToken); // it has begun
        }

        var grain = await OpenAsync(record, leadership, end, copy.State);
        context.Metrics.Leaderships.Add(1);
        PrimaryLog.Leading(context.Logger, database, start.Promise.Epoch, end, replayed);
        return grain;
    }

    private async Task<PrimaryGrain> OpenAsync(DatabaseRecord record, Leadership leadership, Position end, LogState state)
    {
        var log = new ReplicatedLog(database, leadership, end, context.Time, context.LeaseTime, context.Options.Heartbeat);
        leadership.Observe(log);
        string Profile() => context.Control.Find(database)?.Profile ?? record.Profile; // it may change while the file is open
        PrimaryFile? file = null;
        try
        {
            file = await context.Writers.RunAsync(() => PrimaryFile.Open(FilePath, database, context.Options.Readers.ForProfile(Profile), context.Images, _unsynced is null ? null : new Sidecar(database, end, end)));
            await context.Writers.RunAsync(() => CreateOwnTables(file, log, state));
            if (!await log.PassAsync(log.Appended))
            {
                throw new RequestException(ErrorCodes.QuorumUnavailable, $"The primary of '{record.Name}' cannot begin: {log.Failure?.Message ?? leadership.DescribeMissing()}");
            }
        }
        catch
        {
            log.Dispose();
            if (file is not null)
            {
                await file.DisposeAsync();
            }

            throw;
        }

        return new PrimaryGrain(context, database, file, leadership, log, state);
    }

    private Entry OpenEpoch(DatabaseRecord record, LocalCopy copy, uint epoch, Adoption adoption)
    {
        var now = (context.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return EpochEntry.Create(
            new EntryHeader
            {
                Flags = EntryFlags.EpochEntry,
                Database = database,
                Epoch = epoch,
                FirstSequence = adoption.Position.Sequence + 1,
                LastSequence = adoption.Position.Sequence + 1,
                Predecessor = adoption.Position,
                PageSizeBytes = record.PageSizeBytes,
                DatabaseSizePages = copy.SizePages,
                CommitTimeMicroseconds = Math.Max(now, copy.State.CommitTimeMicroseconds),
            },
            copy.State.Epochs,
            adoption.Sets.Encode());
    }

    // The catalogue hears of it only now that the log's own word is confirmed. It is a hint: that it could not be told does no harm.
    private async Task NameFollowersAsync(DatabaseRecord record, Leadership leadership, uint epoch, CancellationToken cancellationToken)
    {
        if (leadership.Sets is not { } known)
        {
            return;
        }

        var set = known.Sets.Current;
        var places = FollowerPlacement.Places(set, context.Control.Nodes, record.Followers);
        if (record.Quorum == set.Quorum && record.Followers.SequenceEqual(places))
        {
            return; // it says so already, and every round trip to it would lengthen a takeover
        }

        try
        {
            await context.Control.SetFollowersAsync(database, epoch, places, set.Quorum, cancellationToken);
        }
        catch (Exception e) when (e is RequestException or IOException or ObjectDisposedException)
        {
            PrimaryLog.FollowersNotNamed(context.Logger, database, e);
        }
    }

    private void CreateOwnTables(PrimaryFile file, ReplicatedLog log, LogState state)
    {
        if (TryCreateOwnTables(file))
        {
            var entry = file.Capture(database, log.Appended, writes: 1, state.CommitTimeMicroseconds)!;
            log.Append(entry);
            file.NoteState(entry.Predecessor, entry.End, log.Confirmed);
        }
    }

    /// <summary>Makes the engine's own tables, if they are not there. On the writer's connection, in its turn.</summary>
    /// <returns>Whether something was committed, which is to be captured.</returns>
    internal static bool TryCreateOwnTables(PrimaryFile file)
    {
        var requests = file.Writer.Owner.Prepare("SELECT 1 FROM sqlite_schema WHERE name = '_rs_requests'");
        var exists = requests.Step();
        requests.Reset();
        if (!exists)
        {
            file.Writer.Owner.Execute($"BEGIN IMMEDIATE; {CreateRequestsTable} COMMIT");
        }

        return !exists;
    }
}
