using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The logs of all databases: what happens to them when a record is durable, or is read back. Under the journal's lock.</summary>
internal sealed class LogIndex
{
    private readonly Dictionary<DatabaseId, DatabaseLog> _logs = [];

    public IEnumerable<DatabaseLog> All => _logs.Values;

    public DatabaseLog? Find(DatabaseId database) => _logs.GetValueOrDefault(database);

    public DatabaseLog Get(DatabaseId database)
    {
        if (!_logs.TryGetValue(database, out var log))
        {
            _logs.Add(database, log = new(database));
        }

        return log;
    }

    /// <summary>The log is forgotten altogether.</summary>
    public void Drop(DatabaseLog log)
    {
        RemoveSegments(log, 0);
        _logs.Remove(log.Id);
    }

    /// <summary>An entry is durable.</summary>
    public static void AddEntry(DatabaseLog log, JournalFile file, int offset, int previous, Position predecessor, Position end, int bytes)
    {
        var segments = log.Segments;
        if (segments.Count > 0 && segments[^1] is var last && last.CanGrow(file, previous))
        {
            segments[^1] = last with { LastOffset = offset, End = end, Count = last.Count + 1, Bytes = last.Bytes + bytes };
        }
        else
        {
            segments.Add(new(file, offset, offset, predecessor, end, 1, bytes));
            file.Segments++;
        }

        log.Durable = end;
    }

    /// <summary>A state record is durable.</summary>
    public static void SetState(DatabaseLog log, RecordKind kind, in StateRecord state, int file)
    {
        log.StateFile = file;
        log.IsRemoved = kind == RecordKind.Remove;
        var isKept = kind is RecordKind.Base or RecordKind.Cut && (state.End == log.Durable || TryCut(log, state.End));
        if (!isKept)
        {
            // Of a log read back, the entries before this may lie in files that are gone; Replay.CheckChains looks whether they were needed.
            RemoveSegments(log, 0);
        }

        log.Durable = state.End;
        log.Base = state.Base;
        if (log.IsRemoved)
        {
            (log.Note, log.NoteFile) = (default, 0);
        }

        Trim(log);
    }

    /// <summary>A note is durable.</summary>
    public static void SetNote(DatabaseLog log, ReadOnlyMemory<byte> note, int file) => (log.Note, log.NoteFile) = (note, file);

    /// <summary>Takes back what lies behind <paramref name="end"/>.</summary>
    /// <returns><see langword="false"/>, with nothing changed, when the log does not hold that position.</returns>
    public static bool TryCut(DatabaseLog log, Position end)
    {
        var segments = log.Segments;
        var at = segments.FindIndex(run => run.Predecessor == end);
        if (at < 0)
        {
            at = IndexOf(log, end);
            if (at >= segments.Count)
            {
                return false;
            }

            var run = segments[at];
            if (run.End != end)
            {
                if (RunWalker.Find(run, end) is not { } found)
                {
                    return false;
                }

                // The count is now too large, which only closes the run early.
                segments[at] = run with { LastOffset = found.Offset, End = end };
            }

            at++;
        }

        RemoveSegments(log, at);
        log.Durable = end;
        log.LastWritten = default; // the next entry begins a run of its own: no link may lead over what was cut
        return true;
    }

    /// <summary>The entries read back so far are below the base, or the journal is damaged: the base tells in the end.</summary>
    public static void Restart(DatabaseLog log) => RemoveSegments(log, 0);

    /// <summary>The first run that ends at or behind a position.</summary>
    public static int IndexOf(DatabaseLog log, Position position)
    {
        int low = 0, high = log.Segments.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (log.Segments[middle].End < position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static void Trim(DatabaseLog log)
    {
        var count = 0;
        while (count < log.Segments.Count && log.Segments[count].End <= log.Base)
        {
            log.Segments[count++].File.Segments--;
        }

        log.Segments.RemoveRange(0, count);
    }

    private static void RemoveSegments(DatabaseLog log, int from)
    {
        for (var i = from; i < log.Segments.Count; i++)
        {
            log.Segments[i].File.Segments--;
        }

        log.Segments.RemoveRange(from, log.Segments.Count - from);
        log.LastWritten = default;
    }
}
