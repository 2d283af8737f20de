using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

public sealed partial class NodeJournal
{
    /// <summary>A read met a record of a database that is not what was written. Told on the reader's thread, each time; the reader gets the exception too.</summary>
    public event Action<DatabaseId, JournalDamagedException>? DamageMet;

    /// <summary>The databases that the journal knows, without those removed.</summary>
    public IReadOnlyList<DatabaseId> Databases
    {
        get
        {
            lock (_gate)
            {
                return [.. _index.All.Where(log => !log.IsRemoved && !log.IsUnknown).Select(log => log.Id)];
            }
        }
    }

    /// <summary>The databases whose logs, from their bases on, have more bytes than this.</summary>
    public IReadOnlyList<DatabaseId> LogsAbove(long bytes)
    {
        lock (_gate)
        {
            return [.. _index.All.Where(log => log.Bytes > bytes).Select(log => log.Id)];
        }
    }

    /// <summary>The logs that do not reach back to the start any more, or never did: where they begin, and their durable ends.</summary>
    public IReadOnlyList<(DatabaseId Database, Position First, Position Last)> TrimmedLogs
    {
        get
        {
            lock (_gate)
            {
                return [.. _index.All.Where(log => log.Base != Position.Start).Select(log => (log.Id, log.Base, log.Durable))];
            }
        }
    }

    /// <summary>Bytes of a log's entries, from its base on.</summary>
    public long BytesOf(DatabaseId database)
    {
        lock (_gate)
        {
            return _index.Find(database)?.Bytes ?? 0;
        }
    }

    /// <summary>The durable end of a log; the start for a database that is not known.</summary>
    public Position LastOf(DatabaseId database)
    {
        lock (_gate)
        {
            return _index.Find(database)?.Durable ?? Position.Start;
        }
    }

    /// <summary>The position from which a log can be read: its base, the start if it has none.</summary>
    public Position FirstOf(DatabaseId database)
    {
        lock (_gate)
        {
            return _index.Find(database)?.Base ?? Position.Start;
        }
    }

    /// <summary>The newest durable note; empty if there is none.</summary>
    public ReadOnlyMemory<byte> NoteOf(DatabaseId database)
    {
        lock (_gate)
        {
            return _index.Find(database)?.Note ?? default;
        }
    }

    /// <summary>Whether an entry ends exactly here, by hash, in the durable log from its base on. May read the disk.</summary>
    public bool Holds(DatabaseId database, Position position)
    {
        LogSegment run;
        lock (_gate)
        {
            var log = _index.Find(database);
            if (log is null || position == log.Durable || position == log.Base)
            {
                return position == (log?.Base ?? Position.Start) || position == log?.Durable;
            }

            var at = LogIndex.IndexOf(log, position);
            if (position < log.Base || at == log.Segments.Count)
            {
                return false;
            }

            run = log.Segments[at];
            run.File.Acquire();
        }

        try
        {
            return RunWalker.Find(run, position) is not null;
        }
        catch (JournalDamagedException damage) when (Tell(database, damage))
        {
            throw;
        }
        finally
        {
            run.File.Release();
        }
    }

    /// <summary>The greatest position of the durable log that is not above this (epoch, sequence), whatever its hash; the base if all are above. May read the disk.</summary>
    public Position FloorOf(DatabaseId database, uint epoch, ulong sequence)
    {
        var wanted = new Position(epoch, sequence, default);
        LogSegment run;
        lock (_gate)
        {
            var log = _index.Find(database);
            if (log is null || log.Durable <= wanted)
            {
                return log?.Durable ?? Position.Start;
            }

            if (wanted <= log.Base)
            {
                return log.Base;
            }

            run = log.Segments[LogIndex.IndexOf(log, wanted)]; // there is one: the log's end is above
            run.File.Acquire();
        }

        try
        {
            // The first run may begin below the base, but what is asked for lies above it.
            return RunWalker.List(run).FindLast(found => found.End <= wanted) is { BodyBytes: > 0 } found ? found.End : run.Predecessor;
        }
        catch (JournalDamagedException damage) when (Tell(database, damage))
        {
            throw;
        }
        finally
        {
            run.File.Release();
        }
    }

    /// <summary>Reads the durable entries behind a position, in order, each checked whole. May run beside appends.</summary>
    /// <param name="database">Whose log.</param>
    /// <param name="after">A position that the log holds.</param>
    /// <param name="maxBytes">Stops before more than this; one entry is always read.</param>
    /// <exception cref="JournalTrimmedException">The log begins behind that position.</exception>
    /// <exception cref="JournalMismatchException">The log does not hold that position.</exception>
    /// <exception cref="JournalDamagedException">What is on the disk is not what was written.</exception>
    public IReadOnlyList<Entry> ReadFrom(DatabaseId database, Position after, long maxBytes)
    {
        var runs = RunsBehind(database, after, maxBytes);
        try
        {
            var entries = new List<Entry>();
            long bytes = 0;
            var last = after;
            foreach (var run in runs)
            {
                foreach (var found in RunWalker.List(run).Where(found => found.End > after))
                {
                    if (found.Predecessor != last)
                    {
                        throw new JournalMismatchException(database, last, found.Predecessor, "A read");
                    }

                    bytes += found.BodyBytes;
                    if (bytes > maxBytes && entries.Count > 0)
                    {
                        return entries;
                    }

                    entries.Add(RunWalker.Read(run.File, found));
                    last = found.End;
                }
            }

            return entries;
        }
        catch (JournalDamagedException damage) when (Tell(database, damage))
        {
            throw;
        }
        finally
        {
            runs.ForEach(run => run.File.Release());
        }
    }

    private bool Tell(DatabaseId database, JournalDamagedException damage)
    {
        DamageMet?.Invoke(database, damage);
        return true;
    }

    private List<LogSegment> RunsBehind(DatabaseId database, Position after, long maxBytes)
    {
        lock (_gate)
        {
            var log = _index.Find(database);
            var end = log?.Durable ?? Position.Start;
            if (log is not null && after < log.Base)
            {
                throw new JournalTrimmedException(database, after, log.Base);
            }

            if (after >= end && after != end)
            {
                throw new JournalMismatchException(database, after, end, "A read");
            }

            var runs = new List<LogSegment>();
            if (log is null || after == end)
            {
                return runs;
            }

            long bytes = 0;
            for (var i = LogIndex.IndexOf(log, after); i < log.Segments.Count && bytes <= maxBytes; i++)
            {
                var run = log.Segments[i];
                if (run.End <= after)
                {
                    continue;
                }

                // The first run may begin before the position, so its bytes do not count.
                bytes += run.Predecessor < after ? 0 : run.Bytes;
                run.File.Acquire();
                runs.Add(run);
            }

            return runs;
        }
    }
}
