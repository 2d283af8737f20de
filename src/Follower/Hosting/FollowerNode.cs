using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>A node's durability follower: its journal, and the followers of all databases over it.</summary>
/// <remarks>
/// Any thread may call. A database that no leader speaks of costs nothing here beyond its place in the journal. A journal that is damaged, or older than this node's folder
/// remembers, makes the node no follower at all: it goes on without. A journal that fails later is opened again as after a crash.
/// </remarks>
public sealed partial class FollowerNode : IOwnFollower, IAsyncDisposable
{
    private readonly FollowerNodeOptions _options;
    private readonly Random _random;
    private readonly Lock _gate = new();
    private readonly Dictionary<DatabaseId, DatabaseFollower> _followers = []; // under _gate
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _endOfStreams = new();
    private readonly ITimer _sweep;
    private readonly ConcurrentQueue<(DatabaseId Database, Promise Leader, LeaderNews News)> _news = new();
    private int _untold; // of those, by Interlocked
    private NodeJournal? _journal; // under _gate; null while there is none
    private ToldFollowers? _told; // under _gate: by the newest journal
    private string _reason = ""; // under _gate: why there is none
    private long _startedAt; // under _gate: since when this journal takes messages
    private int _isDisposed; // by Interlocked
    private Task _reopening = Task.CompletedTask; // under _gate

    private FollowerNode(FollowerNodeOptions options, TimeProvider time, Random random, ILogger logger)
    {
        _options = options;
        _random = random;
        Time = time;
        Logger = logger;
        _sweep = time.CreateTimer(static node => ((FollowerNode)node!).Sweep(), this, options.SweepEvery, options.SweepEvery);
    }

    /// <summary>Names this node's journal, for ever: with it databases name their followers. Empty when this node is no follower.</summary>
    public Guid JournalId { get; private set; }

    /// <summary>The journal, for reading; <see langword="null"/> while it is being opened again, and when this node is no follower.</summary>
    public NodeJournal? OpenedJournal
    {
        get
        {
            lock (_gate)
            {
                return _journal;
            }
        }
    }

    /// <summary>Why this node follows nothing now; <see langword="null"/> when all is well.</summary>
    public string? Trouble
    {
        get
        {
            lock (_gate)
            {
                return _journal is null ? _reason : null;
            }
        }
    }

    /// <summary>Databases that somebody speaks of, or whose lease still runs.</summary>
    public int ActiveCount
    {
        get
        {
            lock (_gate)
            {
                return _followers.Count;
            }
        }
    }

    /// <summary>Cancelled when the node begins to stop: streams have no end of their own.</summary>
    internal CancellationToken EndOfStreams => _endOfStreams.Token;

    internal TimeProvider Time { get; }

    internal ILogger Logger { get; }

    internal long Now => Time.NowMicroseconds();

    /// <summary>Opens the journal, making it if there is none. A damaged one is told loudly, and the node starts without.</summary>
    /// <exception cref="JournalInUseException">Another process has it open.</exception>
    /// <exception cref="JournalFullException">There is no room to make it.</exception>
    public static FollowerNode Start(FollowerNodeOptions options, TimeProvider time, Random random, ILogger logger)
    {
        var node = new FollowerNode(options, time, random, logger);
        try
        {
            node.OpenJournal();
            return node;
        }
        catch (Exception e) when (e is JournalDamagedException or JournalVersionException or JournalFailedException)
        {
            node.GiveUp(e.Message);
            return node;
        }
        catch
        {
            node._sweep.Dispose();
            throw;
        }
    }

    /// <summary>Leaders come and go. Told on the thread pool, one after the other and in order. A listener that throws is told of in the log, and of the next news.</summary>
    public event Action<DatabaseId, Promise, LeaderNews>? LeaderChanged;

    Guid IOwnFollower.Journal => JournalId;

    /// <inheritdoc/>
    /// <remarks>While the journal is being opened again, each question throws <see cref="JournalFailedException"/>.</remarks>
    public ILogView LogOf(DatabaseId database) => new CurrentLogView(this, database);

    /// <inheritdoc/>
    public (ImmutableArray<KnownSets> Sets, Promise Promised) StateOf(DatabaseId database)
    {
        try
        {
            if ((Use(database)?.State ?? Use(database)?.State) is { } state) // one that was just forgotten is followed by another
            {
                return state;
            }
        }
        catch (EntryFormatException damaged)
        {
            throw new JournalFailedException($"what it noted of {database} cannot be read", damaged);
        }

        throw new JournalFailedException(Trouble ?? "it is being opened again");
    }

    /// <inheritdoc/>
    IReadOnlyList<Entry> IOwnFollower.Read(DatabaseId database, Position after, long maxBytes) =>
        (OpenedJournal ?? throw new JournalFailedException(Trouble ?? "it is being opened again")).ReadFrom(database, after, maxBytes);

    /// <summary>The greatest position of a log here that is known to be confirmed and on disk.</summary>
    /// <exception cref="JournalFailedException">The journal is just being opened again.</exception>
    public Position ConfirmedOf(DatabaseId database) =>
        Use(database)?.Confirmed ?? Use(database)?.Confirmed ?? throw new JournalFailedException(Trouble ?? "it is being opened again");

    /// <inheritdoc/>
    public async Task BeginAtAsync(DatabaseId database, Position position)
    {
        var follower = Use(database) ?? throw new JournalFailedException(Trouble ?? "it is being opened again");
        await follower.BeginAtAsync(position, "The database's log begins anew here.");
        follower.Drop("The database's log begins anew here."); // another takes its place at once
    }

    /// <summary>Takes a database out: its log is emptied. What was promised stays, so that a leader of the time before is never obeyed, here or after it is brought back.</summary>
    public async Task ForgetAsync(DatabaseId database)
    {
        if (OpenedJournal is { } journal && (journal.LastOf(database) != Position.Start || journal.FirstOf(database) != Position.Start) && Use(database) is { } follower)
        {
            await follower.ForgetAsync();
        }
    }

    /// <summary>Ends the streams of other nodes, which would keep the ports open.</summary>
    public void BeginStop()
    {
        if (Volatile.Read(ref _isDisposed) == 0)
        {
            _endOfStreams.Cancel();
        }
    }

    /// <summary>Ends all streams, writes what waits, closes the journal.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _endOfStreams.CancelAsync();
        await _stopping.CancelAsync();
        await _sweep.DisposeAsync();
        Task reopening;
        NodeJournal? journal;
        lock (_gate)
        {
            reopening = _reopening;
        }

        await reopening;
        lock (_gate)
        {
            (journal, _journal, _reason) = (_journal, null, "the node stops");
        }

        DropAll(journal, "The node stops.");
        if (journal is not null)
        {
            await journal.DisposeAsync();
            _options.Remember(new(journal.Id, journal.LastGroup));
        }

        _stopping.Dispose();
        _endOfStreams.Dispose();
    }

    /// <summary>Begins a stream of a leader.</summary>
    /// <returns><see langword="null"/> if the journal that is asked for is not here, and why.</returns>
    internal FollowerStream? TryOpen(DatabaseId database, Guid asked, Promise promise, IFollowerSink sink, out string reason)
    {
        while (true)
        {
            reason = WhyNot(asked);
            if (reason.Length > 0)
            {
                return null;
            }

            try
            {
                if (Use(database)?.TryOpen(promise, sink) is { } stream)
                {
                    return stream;
                }
            }
            catch (EntryFormatException damaged)
            {
                reason = $"What journal {asked} noted of {database} cannot be read: {damaged.Message}";
                return null;
            }
        }
    }

    /// <summary>Reads a log for a leader that is recovering.</summary>
    internal FollowerRead Read(DatabaseId database, Guid asked, Promise by, Position after, long maxBytes)
    {
        if (WhyNot(asked) is { Length: > 0 } reason || OpenedJournal is not { } journal)
        {
            return new(FollowerReadOutcome.NotMember, [], WhyNot(asked));
        }

        try
        {
            if (!MayRead(database, by))
            {
                return new(FollowerReadOutcome.Refused, [], $"{by} is not what is promised.");
            }

            var entries = journal.ReadFrom(database, after, maxBytes).ToImmutableArray();
            return MayRead(database, by) // looked at again: what was read may have been cut for another leader
                ? new(FollowerReadOutcome.Read, entries)
                : new(FollowerReadOutcome.Refused, [], $"{by} is not promised any more.");
        }
        catch (JournalTrimmedException trimmed)
        {
            return new(FollowerReadOutcome.Trimmed, [], trimmed.Message, trimmed.First);
        }
        catch (JournalMismatchException mismatch)
        {
            return new(FollowerReadOutcome.NotHeld, [], mismatch.Message);
        }
        catch (Exception e) when (e is JournalException or EntryFormatException or IOException or ObjectDisposedException)
        {
            return new(FollowerReadOutcome.NotMember, [], e.Message);
        }
    }

    /// <summary>Whether a leader is lost here; <see langword="null"/> from who is no follower.</summary>
    internal ProbeAnswer? Probe(DatabaseId database, Guid asked, ulong activation)
    {
        try
        {
            return WhyNot(asked).Length == 0 ? Use(database)?.Probe(activation) ?? Use(database)?.Probe(activation) : null; // one that was just forgotten is followed by another
        }
        catch (EntryFormatException)
        {
            return null; // said where a leader asks
        }
    }

    private bool MayRead(DatabaseId database, Promise by)
    {
        while (Use(database) is { } follower)
        {
            if (follower.MayRead(by) is { } may)
            {
                return may;
            }
        }

        return false;
    }

    internal void Tell(DatabaseId database, Promise leader, LeaderNews news)
    {
        if (LeaderChanged is null)
        {
            return;
        }

        _news.Enqueue((database, leader, news));
        if (Interlocked.Increment(ref _untold) == 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static node => node.TellNews(), this, preferLocal: false);
        }
    }

    // One at a time and in order: a leader that was lost before it was heard would be watched by nobody.
    private void TellNews()
    {
        do
        {
            if (!_news.TryDequeue(out var told))
            {
                continue;
            }

            try
            {
                LeaderChanged?.Invoke(told.Database, told.Leader, told.News);
            }
            catch (Exception e)
            {
                FollowerLog.NewsFailed(Logger, told.Database, told.News, e); // thrown here it would end the process, and the news behind it would reach nobody
            }
        }
        while (Interlocked.Decrement(ref _untold) > 0);
    }

    private string WhyNot(Guid asked)
    {
        lock (_gate)
        {
            return _journal is null ? $"This node follows nothing now: {_reason}"
                : asked != JournalId ? $"Journal {asked} was asked for; this node's is {JournalId}."
                : "";
        }
    }

    private DatabaseFollower? Use(DatabaseId database)
    {
        lock (_gate)
        {
            if (_journal is null)
            {
                return null;
            }

            if (!_followers.TryGetValue(database, out var follower) || follower.IsDropped)
            {
                _followers[database] = follower = new(this, _journal, _told!, database, _startedAt);
            }

            return follower;
        }
    }

    private void Sweep()
    {
        List<KeyValuePair<DatabaseId, DatabaseFollower>> all;
        lock (_gate)
        {
            all = [.. _followers];
        }

        foreach (var (database, follower) in all)
        {
            if (follower.TryDrop()) // outside the lock: who holds a follower's may want this one
            {
                lock (_gate)
                {
                    if (_followers.GetValueOrDefault(database) == follower)
                    {
                        _followers.Remove(database);
                    }
                }
            }
        }
    }
}
