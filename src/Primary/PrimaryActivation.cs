using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The way to a leadership: recover the local file, win an epoch, confirm the entry that opens it; only then is anything answered.</summary>
internal sealed class PrimaryActivation(PrimaryContext context, DatabaseId database)
{
    // Idempotency keys live in the database itself, so that they are there exactly as long as what they stand for.
    private const string CreateRequestsTable =
        """
        CREATE TABLE _rs_requests (
          key TEXT PRIMARY KEY NOT NULL, request_hash BLOB NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
          committed_at INTEGER NOT NULL, result BLOB) WITHOUT ROWID;
        CREATE INDEX _rs_requests_committed_at ON _rs_requests (committed_at);
        """;

    public async Task<PrimaryGrain> RunAsync(CancellationToken cancellationToken)
    {
        var record = context.Control.Find(database) ??
            throw new RequestException(ErrorCodes.DatabaseNotFound, $"The database {database} does not exist any more.");
        var folder = context.FolderOf(database);
        var path = Path.Combine(folder, "db.sqlite");
        Directory.CreateDirectory(folder);
        DurableFile.SyncFolderOf(folder);
        var recovered = await context.Writers.RunAsync(() => LocalRecovery.Run(path, record, context.Journal));
        var epoch = await context.Control.TakeEpochAsync(database, context.Self.Id, record.Epoch, recovered.Position.Epoch, cancellationToken);
        var log = new ReplicatedLog(database, new JournalLog(context.Journal), recovered.Position, context.Time);
        var opening = OpenEpoch(record, recovered, epoch);
        await ConfirmAsync(log, opening);
        var state = new LogState(opening.EpochTable!, opening.Header.CommitTimeMicroseconds);
        string Profile() => context.Control.Find(database)?.Profile ?? record.Profile; // it may change while the file is open
        var file = await context.Writers.RunAsync(() => PrimaryFile.Open(path, database, context.Options.Readers.ForProfile(Profile), context.Images));
        try
        {
            await context.Writers.RunAsync(() => CreateOwnTables(file, log, state));
            await PassAsync(log, log.Appended);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }

        PrimaryLog.Leading(context.Logger, database, epoch, log.Appended, recovered.Replayed);
        return new PrimaryGrain(context, database, file, log, state);
    }

    private Entry OpenEpoch(DatabaseRecord record, RecoveredFile recovered, uint epoch)
    {
        var now = (context.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return EpochEntry.Create(
            new EntryHeader
            {
                Flags = EntryFlags.EpochEntry,
                Database = database,
                Epoch = epoch,
                FirstSequence = recovered.Position.Sequence + 1,
                LastSequence = recovered.Position.Sequence + 1,
                Predecessor = recovered.Position,
                PageSizeBytes = record.PageSizeBytes,
                DatabaseSizePages = recovered.SizePages,
                CommitTimeMicroseconds = Math.Max(now, recovered.State.CommitTimeMicroseconds),
            },
            recovered.State.Epochs);
    }

    private static async Task ConfirmAsync(ReplicatedLog log, Entry entry)
    {
        log.Append(entry);
        await PassAsync(log, entry.End);
    }

    private static async Task PassAsync(ReplicatedLog log, Position position)
    {
        if (await log.PassAsync(position))
        {
            return;
        }

        throw log.Failure is JournalFullException full
            ? new RequestException(ErrorCodes.SqliteFull, $"The disk of the primary's journal is full: {full.Message}")
            : new RequestException(ErrorCodes.QuorumUnavailable, $"The primary's journal does not take entries: {log.Failure?.Message}");
    }

    private void CreateOwnTables(PrimaryFile file, ReplicatedLog log, LogState state)
    {
        var requests = file.Writer.Owner.Prepare("SELECT 1 FROM sqlite_schema WHERE name = '_rs_requests'");
        var exists = requests.Step();
        requests.Reset();
        if (exists)
        {
            return;
        }

        file.Writer.Owner.Execute($"BEGIN IMMEDIATE; {CreateRequestsTable} COMMIT");
        log.Append(file.Capture(database, log.Appended, writes: 1, state.CommitTimeMicroseconds)!);
    }
}
