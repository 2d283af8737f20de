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

        log.Bytes += bytes;
        log.Durable = end;
    }

    /// <summary>A state record is durable.</summary>
    public static void SetState(DatabaseLog log, RecordKind kind, in StateRecord state, int file)
    {
        log.StateFile = file;
        log.IsRemoved = kind == RecordKind.Remove;
        if (kind is not (RecordKind.Base or RecordKind.Cut))
        {
            RemoveSegments(log, 0);
        }
        else if (state.End != log.Durable && !TryCut(log, state.End))
        {
            LeapTo(log, state.End);
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

    /// <summary>While reading back: the log ended here, but the entries before this are in files that are gone.</summary>
    /// <remarks>
    /// They went because all in them was below the base, or was cut later on. In the second case a record that follows leads back to what came before them,
    /// so that is kept, with a gap behind it. Replay.CheckChains looks whether any gap is left in the end.
    /// </remarks>
    public static void LeapTo(DatabaseLog log, Position end)
    {
        var at = IndexOf(log, end);
        if (at < log.Segments.Count && log.Segments[at] is var run && run.Predecessor < end)
        {
            var kept = RunWalker.List(run).FindLastIndex(entry => entry.End < end);
            if (kept >= 0)
            {
                var last = RunWalker.List(run)[kept];
                log.Segments[at++] = run with { LastOffset = last.Offset, End = last.End };
            }
        }

        RemoveSegments(log, at);
        log.Durable = end;
    }

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

    /// <summary>Lets go of what lies at or below the base.</summary>
    public static void Trim(DatabaseLog log)
    {
        var count = 0;
        while (count < log.Segments.Count && log.Segments[count].End <= log.Base)
        {
            log.Bytes -= log.Segments[count].Bytes;
            log.Segments[count++].File.Segments--;
        }

        log.Segments.RemoveRange(0, count);
    }

    private static void RemoveSegments(DatabaseLog log, int from)
    {
        for (var i = from; i < log.Segments.Count; i++)
        {
            log.Bytes -= log.Segments[i].Bytes;
            log.Segments[i].File.Segments--;
        }

        log.Segments.RemoveRange(from, log.Segments.Count - from);
        log.LastWritten = default;
    }
}
