using ReplicatedSqlite.Simulation;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A bookmark that somebody was given.</summary>
/// <param name="Bookmark">It.</param>
/// <param name="Place">Of a write: its own. Of a read: the last place that it saw. -1: of an error, or not known.</param>
/// <param name="IsWrite">It is the bookmark of just this write.</param>
internal sealed record SeenBookmark(Bookmark Bookmark, int Place, bool IsWrite);

/// <summary>What the clients of one database did and were told. Thread-safe.</summary>
internal sealed class ChaosHistory
{
    /// <summary>Rows that writes share: the last to a row is what it holds.</summary>
    public const int Rows = 48;

    private readonly Lock _gate = new();
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly List<WriteOperation> _writes = [];
    private readonly List<ReadOperation> _reads = [];
    private readonly List<SeenBookmark> _bookmarks = [];
    private readonly List<string> _unexpected = [];
    private readonly Dictionary<string, int> _refusals = [];
    private int _numbers;

    /// <summary>Microseconds since the beginning.</summary>
    public long Now => (long)TimeProvider.System.GetElapsedTime(_start).TotalMicroseconds;

    /// <summary>The node that answered last as the primary.</summary>
    public string? Leader { get; private set; }

    public IReadOnlyList<WriteOperation> Writes
    {
        get
        {
            lock (_gate)
            {
                return [.. _writes];
            }
        }
    }

    public IReadOnlyList<ReadOperation> Reads
    {
        get
        {
            lock (_gate)
            {
                return [.. _reads];
            }
        }
    }

    public IReadOnlyList<SeenBookmark> Bookmarks
    {
        get
        {
            lock (_gate)
            {
                return [.. _bookmarks];
            }
        }
    }

    /// <summary>Answers that no fault excuses.</summary>
    public IReadOnlyList<string> Unexpected
    {
        get
        {
            lock (_gate)
            {
                return [.. _unexpected];
            }
        }
    }

    /// <summary>How often each code was the answer.</summary>
    public IReadOnlyDictionary<string, int> Refusals
    {
        get
        {
            lock (_gate)
            {
                return new Dictionary<string, int>(_refusals);
            }
        }
    }

    /// <summary>A write is about to be sent. Its number is unique in the story.</summary>
    public WriteOperation Begin(int session, int turn, int row, bool isKeyed)
    {
        lock (_gate)
        {
            var write = new WriteOperation { Number = ++_numbers, Session = session, Turn = turn, Row = row, Key = isKeyed ? _numbers : -1, Begun = Now };
            _writes.Add(write);
            return write;
        }
    }

    /// <summary>A write was answered.</summary>
    /// <param name="write">It.</param>
    /// <param name="place">Where it stands; 0 if the answer did not say.</param>
    /// <param name="bookmark">The answer's.</param>
    /// <param name="isItsOwn">The bookmark is of this very write.</param>
    public void Answered(WriteOperation write, int place, Bookmark bookmark, bool isItsOwn)
    {
        lock (_gate)
        {
            write.Outcome = Outcome.Answered;
            write.Ended = Now;
            write.At = ChaosPlace.Of(place);
            _bookmarks.Add(new(bookmark, place > 0 ? place : -1, isItsOwn && place > 0));
        }
    }

    /// <summary>Nothing of a write was done, whatever was sent.</summary>
    public void NothingDone(WriteOperation write)
    {
        lock (_gate)
        {
            write.Outcome = Outcome.NothingDone;
            write.Ended = Now;
        }
    }

    /// <summary>A read was answered.</summary>
    public void Add(ReadOperation read, Bookmark bookmark)
    {
        lock (_gate)
        {
            _reads.Add(read);
            _bookmarks.Add(new(bookmark, (int)read.At.Sequence, IsWrite: false));
        }
    }

    /// <summary>A call failed.</summary>
    public void Refused(string code, Bookmark? bookmark)
    {
        lock (_gate)
        {
            _refusals[code] = _refusals.GetValueOrDefault(code) + 1;
            if (bookmark is { } seen)
            {
                _bookmarks.Add(new(seen, -1, IsWrite: false));
            }
        }
    }

    /// <summary>A primary answered.</summary>
    public void Led(string node)
    {
        lock (_gate)
        {
            Leader = node;
        }
    }

    /// <summary>Something that must not happen.</summary>
    public void NeverExpected(string what)
    {
        lock (_gate)
        {
            _unexpected.Add(what);
        }
    }
}
