using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Brings a database's local file to the end of this node's log, after whatever happened before.</summary>
/// <remarks>
/// Crash rule: the file is main file + sidecar, with the log replayed over it. The WAL left behind is not trusted; it goes. Replay sets whole pages in the main
/// file, so that what is there already does no harm, and leaves it complete: SQLite opens it only then.
/// </remarks>
internal static class LocalRecovery
{
    private const int ReadBytes = 8 << 20;

    /// <summary>Replays. Blocks; runs on a worker.</summary>
    /// <exception cref="RequestException">The file is missing, damaged, or newer than the log: it is left as it is.</exception>
    public static RecoveredFile Run(string path, DatabaseRecord database, NodeJournal journal)
    {
        var last = journal.LastOf(database.Id);
        var sidecar = Prepare(path, database, journal, last);
        LocalFile.DiscardWal(path);
        var state = ReadState(path, sidecar, database);
        if (last < sidecar.To)
        {
            throw Refuse(database, $"its file holds pages as new as {sidecar.To}, but the log of this node ends at {last}. The journal is older than the file.");
        }

        return Replay(path, database, journal, sidecar, last, state);
    }

    private static RecoveredFile Replay(string path, DatabaseRecord database, NodeJournal journal, Sidecar sidecar, Position last, LogState state)
    {
        var position = sidecar.From;
        var replayed = 0;
        using var replay = new LogReplay(path, sidecar.To);
        while (position < last)
        {
            var entries = Read(journal, database, position);
            if (sidecar.To < entries[^1].End)
            {
                sidecar = sidecar with { To = entries[^1].End }; // before a page of them is written: a crash in here leaves a mixture again
                sidecar.Write(Sidecar.PathOf(path));
            }

            foreach (var entry in entries)
            {
                Apply(replay, entry, database);
                state = new LogState(entry.EpochTable ?? state.Epochs, entry.Header.CommitTimeMicroseconds);
                position = entry.End; // it may lie beyond the end asked for: what an earlier activation had queued
                replayed++;
            }
        }

        if (replayed > 0)
        {
            replay.Finish();
            LogStateFile.Write(LogStateFile.PathOf(path), state); // before the sidecar passes what it tells of
            new Sidecar(database.Id, position, position).Write(Sidecar.PathOf(path));
        }

        return new RecoveredFile(position, state, replayed > 0 ? replay.SizePages : MainFile.PageCount(path), replayed);
    }

    private static void Apply(LogReplay replay, Entry entry, DatabaseRecord database)
    {
        try
        {
            replay.Apply(entry);
        }
        catch (PageMismatchException e)
        {
            throw new RequestException(ErrorCodes.SqliteCorrupt, $"The primary of '{database.Name}' ({database.Id}) cannot start: {e.Message}");
        }
    }

    private static Sidecar Prepare(string path, DatabaseRecord database, NodeJournal journal, Position last)
    {
        var sidecarPath = Sidecar.PathOf(path);
        if (!File.Exists(path) || !File.Exists(sidecarPath))
        {
            if (journal.FirstOf(database.Id) != Position.Start)
            {
                throw Refuse(database, $"'{path}' or its sidecar is missing, and the log of this node no longer reaches back to the beginning.");
            }

            // A new database, or one whose whole log is here: it begins as every copy begins.
            LocalFile.Remove(path);
            File.Delete(LogStateFile.PathOf(path));
            DatabaseFile.CreateEmpty(path, database.PageSizeBytes);
            var fresh = new Sidecar(database.Id, Position.Start, Position.Start);
            fresh.Write(sidecarPath);
            return fresh;
        }

        try
        {
            var sidecar = Sidecar.Read(sidecarPath)!;
            if (sidecar.Database != database.Id)
            {
                throw Refuse(database, $"the sidecar '{sidecarPath}' belongs to database {sidecar.Database}.");
            }

            MainFile.Check(path, sidecar);
            return sidecar.From <= last
                ? sidecar
                : throw Refuse(database, $"its file is at {sidecar.From}, but the log of this node ends at {last}. The journal is older than the file.");
        }
        catch (InvalidDataException damaged)
        {
            throw Refuse(database, damaged.Message);
        }
    }

    private static LogState ReadState(string path, Sidecar sidecar, DatabaseRecord database)
    {
        // It is written before the sidecar moves on, so only a new copy can be without one.
        if (sidecar.From != Position.Start && !File.Exists(LogStateFile.PathOf(path)))
        {
            throw Refuse(database, $"'{LogStateFile.PathOf(path)}' is missing, and only it tells of the log before {sidecar.From}.");
        }

        try
        {
            return LogStateFile.Read(LogStateFile.PathOf(path));
        }
        catch (Exception e) when (e is InvalidDataException or EntryFormatException)
        {
            throw new RequestException(ErrorCodes.SqliteCorrupt, e.Message);
        }
    }

    private static IReadOnlyList<Entry> Read(NodeJournal journal, DatabaseRecord database, Position after)
    {
        try
        {
            var entries = journal.ReadFrom(database.Id, after, ReadBytes);
            return entries.Count > 0 ? entries : throw Refuse(database, $"its log ends at {after}, before the end that the journal names.");
        }
        catch (JournalException e)
        {
            throw Refuse(database, e.Message);
        }
    }

    private static RequestException Refuse(DatabaseRecord database, string found) => new(
        ErrorCodes.SqliteCorrupt,
        $"The primary of '{database.Name}' ({database.Id}) cannot start: {found} Nothing was changed. Bring the missing files back, or restore the database from a copy.");
}

/// <summary>Where a recovered file stands.</summary>
/// <param name="Position">The end of its log.</param>
/// <param name="State">What is known of the log up to there.</param>
/// <param name="SizePages">The database's size.</param>
/// <param name="Replayed">Entries.</param>
internal readonly record struct RecoveredFile(Position Position, LogState State, uint SizePages, int Replayed);
