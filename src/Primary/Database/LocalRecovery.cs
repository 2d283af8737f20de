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
    private const long KeptBytes = 32 << 20; // of what was looked at, so that a log of usual length is read once

    /// <summary>What the file vouches for, as a base that the log may begin at; <see langword="null"/> if there is no file that can be trusted.</summary>
    public static Position? BaseOf(string path, DatabaseId database)
    {
        try
        {
            return File.Exists(path) && Sidecar.Read(Sidecar.PathOf(path)) is { } sidecar && sidecar.Database == database && File.Exists(LogStateFile.PathOf(path))
                ? sidecar.From
                : null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return null;
        }
    }

    /// <summary>Whether there is no file here that a log can go on from which begins at a position. A damaged one is not taken for none: it is refused, and left to be looked at.</summary>
    public static bool LacksBase(string path, DatabaseId database, Position first)
    {
        try
        {
            return first != Position.Start && (!File.Exists(path) || Sidecar.Read(Sidecar.PathOf(path)) is not { } sidecar || (sidecar.Database == database && sidecar.From < first));
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return false;
        }
    }

    /// <summary>Whether the file here may show more than a log that ends at a position.</summary>
    public static bool IsNewer(string path, DatabaseId database, Position last)
    {
        try
        {
            return File.Exists(path) && Sidecar.Read(Sidecar.PathOf(path)) is { } sidecar && sidecar.Database == database && sidecar.To > last;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return false;
        }
    }

    /// <summary>Looks at the file, and at the log from there to its end, and changes no page. Blocks; runs on a worker.</summary>
    /// <param name="path">The main file.</param>
    /// <param name="database">Whose.</param>
    /// <param name="journal">Holds the log.</param>
    /// <param name="last">The log's end: what was adopted.</param>
    /// <param name="unsynced">Of a file that was built just now, and has none on the disk: what its sidecar would say.</param>
    /// <exception cref="RequestException">The file is missing, damaged, or newer than the log: it is left as it is.</exception>
    public static LocalCopy Look(string path, DatabaseRecord database, IOwnFollower journal, Position last, Sidecar? unsynced = null)
    {
        var sidecar = unsynced ?? Prepare(path, database, journal, last);
        LocalFile.DiscardWal(path);
        var state = ReadState(path, sidecar, database);
        if (last < sidecar.To)
        {
            throw Refuse(database, $"its file holds pages as new as {sidecar.To}, but the log of this node ends at {last}. The journal is older than the file.");
        }

        uint? pages = null;
        var end = sidecar.From;
        var kept = new List<Entry>();
        var keptBytes = 0L;
        while (end < last)
        {
            foreach (var entry in Read(journal, database, end, last))
            {
                state = new LogState(entry.EpochTable ?? state.Epochs, entry.Header.CommitTimeMicroseconds);
                pages = entry.Header.DatabaseSizePages;
                end = entry.End;
                keptBytes += entry.Encoded.Length;
                if (keptBytes <= KeptBytes)
                {
                    kept.Add(entry);
                }
            }
        }

        CheckEnd(database, end, last); // what is kept is this log, whatever the journal says later
        return new LocalCopy(sidecar, state, pages ?? MainFile.PageCount(path), kept) { IsSynced = unsynced is null };
    }

    /// <summary>Replays the log over the file. Everything in it is confirmed. Blocks; runs on a worker.</summary>
    /// <returns>How many entries were replayed.</returns>
    /// <exception cref="RequestException">The log or the file is damaged.</exception>
    public static int Replay(string path, DatabaseRecord database, IOwnFollower journal, LocalCopy copy, Position last)
    {
        var (sidecar, state, _, kept) = copy;
        var position = sidecar.From;
        if (position == last)
        {
            return 0;
        }

        var replayed = 0;
        using var replay = new LogReplay(path, sidecar.To);
        while (position < last)
        {
            var entries = replayed < kept.Count ? kept : Read(journal, database, position, last);
            if (sidecar.To < entries[^1].End)
            {
                sidecar = sidecar with { To = entries[^1].End }; // before a page of them is written: a crash in here leaves a mixture again
                if (copy.IsSynced)
                {
                    sidecar.Write(Sidecar.PathOf(path));
                }
            }

            foreach (var entry in entries)
            {
                Apply(replay, entry, database);
                state = new LogState(entry.EpochTable ?? state.Epochs, entry.Header.CommitTimeMicroseconds);
                position = entry.End;
                replayed++;
            }
        }

        CheckEnd(database, position, last);
        replay.Finish(copy.IsSynced);
        LogStateFile.Write(LogStateFile.PathOf(path), state); // before the sidecar passes what it tells of
        if (copy.IsSynced)
        {
            new Sidecar(database.Id, position, position).Write(Sidecar.PathOf(path));
        }

        return replayed;
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

    private static Sidecar Prepare(string path, DatabaseRecord database, IOwnFollower journal, Position last)
    {
        var sidecarPath = Sidecar.PathOf(path);
        if (!File.Exists(path) || !File.Exists(sidecarPath))
        {
            if (journal.LogOf(database.Id).First != Position.Start)
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

    // Never beyond the end that is confirmed: the own follower may have gone over to another leader by now, whose entries are not.
    private static List<Entry> Read(IOwnFollower journal, DatabaseRecord database, Position after, Position last)
    {
        try
        {
            var entries = journal.Read(database.Id, after, ReadBytes).TakeWhile(entry => entry.End <= last).ToList();
            return entries.Count > 0 ? entries : throw Refuse(database, $"its log ends at {after}, before the end that the journal names.");
        }
        catch (JournalException e)
        {
            throw Refuse(database, e.Message);
        }
    }

    private static void CheckEnd(DatabaseRecord database, Position end, Position last)
    {
        if (end != last)
        {
            throw Refuse(database, $"its log has another entry at {end} than the leadership went on from, {last}.");
        }
    }

    private static RequestException Refuse(DatabaseRecord database, string found) => new(
        ErrorCodes.SqliteCorrupt,
        $"The primary of '{database.Name}' ({database.Id}) cannot start: {found} Nothing was changed. Bring the missing files back, or restore the database from a copy.");
}

/// <summary>A file before its log is replayed, and what is known at the end of that log.</summary>
/// <param name="Sidecar">Which states the file holds.</param>
/// <param name="State">Epochs and commit time at the log's end.</param>
/// <param name="SizePages">The database's size there.</param>
/// <param name="Kept">The first entries of that log.</param>
internal sealed record LocalCopy(Sidecar Sidecar, LogState State, uint SizePages, IReadOnlyList<Entry> Kept)
{
    /// <summary>The file is on the disk, and its sidecar. Else neither is, and nobody trusts it after a crash.</summary>
    public bool IsSynced { get; init; } = true;
}
