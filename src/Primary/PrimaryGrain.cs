using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The primary of one database: takes its writes, answers its reads, ships its log.</summary>
/// <remarks>
/// Nothing that was read from the file leaves before the state it was read from is confirmed: rows, counts, errors and snapshots all pass the same gate.
/// Safe for use by any thread; the file's own turns are <see cref="DatabaseWriter"/>'s.
/// </remarks>
public sealed partial class PrimaryGrain : IDatabaseCopy, ITimeTravel
{
    private readonly PrimaryContext _context;
    private readonly DatabaseId _database;
    private readonly PrimaryFile _file;
    private readonly Leadership _leadership;
    private readonly ReplicatedLog _log;
    private readonly DurableBases _bases = new();
    private readonly ColdUploader? _uploader; // brings the confirmed log to cold storage
    private readonly LogTrimmer _trimmer;
    private readonly DatabaseWriter _writer;
    private readonly Lock _commit = new();
    private readonly Lock _refusal = new(); // around a look at the log's refusal and what the writer is told of it
    private readonly KnownTexts _known = new();
    private readonly ReadRunner<Position> _reads;
    private readonly ReadRunner<Position> _confirmedReads; // of the state before what is not confirmed
    private readonly EpochTable _epochs;
    private readonly OpenSnapshots _snapshots = new();
    private readonly RunningSnapshots _sending;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _ending = new(); // interactive transactions go no further

    internal PrimaryGrain(PrimaryContext context, DatabaseId database, PrimaryFile file, Leadership leadership, ReplicatedLog log, LogState state)
    {
        _leadership = leadership;
        _context = context;
        _database = database;
        _file = file;
        _log = log;
        _epochs = state.Epochs;
        EncodedEpochs = new byte[EpochTableFormat.SizeOf(_epochs)];
        EpochTableFormat.Write(EncodedEpochs, _epochs);
        _trimmer = new LogTrimmer(TrimmablePosition, log.Trim);
        _sending = new RunningSnapshots(context.Options.SnapshotPatience, context.Time);
        _writer = new DatabaseWriter(context, file, log, state, _commit, _trimmer, _sending);
        _reads = new ReadRunner<Position>(file.Readers, context.Readers, _known, new SnapshotSource(_commit, log, file), context.Time);
        _confirmedReads = new ReadRunner<Position>(file.Readers, context.Readers, _known, new ConfirmedSource(_commit, log, file), context.Time);
        _uploader = context.Cold?.Open(new PrimaryUploadSource(context, file, log, _epochs), isLeader: true);
        if (_uploader is not null)
        {
            log.MoreConfirmed += _uploader.Confirm;
            _uploader.Confirm(log.Confirmed);
        }

        log.Failed += OnFailed;
        log.RefusalChanged += OnRefusalChanged;
        OnRefusalChanged();
    }

    /// <inheritdoc/>
    public bool HasFailed => _log.Failure is not null;

    /// <inheritdoc/>
    public CopyStatus Status
    {
        get
        {
            var (bytes, entries) = _log.Unconfirmed;
            return new(IsPrimary: true, _log.Confirmed, ConfirmLagMs: 0, _file.SizeBytes)
            {
                WalBytes = _file.WalSizeBytes, UnconfirmedBytes = bytes, UnconfirmedEntries = entries,
            };
        }
    }

    /// <summary>This leadership.</summary>
    internal uint Epoch => _epochs.CurrentEpoch;

    /// <summary>The table of epochs up to this one, as it travels.</summary>
    internal byte[] EncodedEpochs { get; }

    /// <summary>Whether this node has what a leadership can begin with: the log from its beginning, or a copy of what is no longer in it. Without, somebody else should lead.</summary>
    public static bool CanBegin(PrimaryContext context, DatabaseId database)
    {
        ArgumentNullException.ThrowIfNull(context);
        var first = context.OwnFollower.LogOf(database).First;
        return first == Position.Start || BaseOf(context, database) >= first;
    }

    /// <summary>What the main file of this node's copy holds, synced; <see langword="null"/> if there is none that can be trusted.</summary>
    public static Position? BaseOf(PrimaryContext context, DatabaseId database)
    {
        ArgumentNullException.ThrowIfNull(context);
        return LocalRecovery.BaseOf(context.FileOf(database), database);
    }

    /// <summary>Becomes primary: recovers the file, wins an epoch, and confirms the entry that opens it.</summary>
    /// <exception cref="RequestException">It cannot, and why.</exception>
    public static async Task<IDatabaseCopy> ActivateAsync(PrimaryContext context, DatabaseId database, CancellationToken cancellationToken) =>
        await new PrimaryActivation(context, database).RunAsync(cancellationToken);

    /// <summary>Ends the subscriptions and the interactive transactions.</summary>
    public void BeginStop()
    {
        _ending.Cancel();
        _stopping.Cancel();
    }

    /// <summary>Gives the leadership up for another node: no write begins any more, everything is confirmed, and nothing is proven from then on.</summary>
    /// <returns>The epoch that is over.</returns>
    /// <exception cref="RequestException">The leadership is over already, or what was written could not be confirmed.</exception>
    public async Task<uint> ResignAsync(CancellationToken cancellationToken)
    {
        using var turn = await _writer.TakeTurnAsync(cancellationToken);
        await PassAsync(turn.Position);
        _log.Failed -= OnFailed; // wanted
        _leadership.Resign();
        Abort();
        return Epoch;
    }

    /// <summary>Ends the leadership at once: what is held fails, reads under way end.</summary>
    public void Abort()
    {
        _log.Failed -= OnFailed; // this is no failure that an operator should look at
        var moved = new RequestException(ErrorCodes.NoPrimary, "The primary moved. Nothing was done; try again.");
        _log.Close(moved);
        _writer.Refuse(moved);
        _file.Readers.Abort();
    }

    /// <summary>Refuses new work, lets what has begun end, checkpoints, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _stopping.CancelAsync(); // the subscriptions end
        try
        {
            await _writer.DisposeAsync();
            await EndUploadsAsync();
            _log.Failed -= OnFailed;
            await LetGoAsync();
        }
        finally
        {
            // Whatever happened: the copy's next role must find nothing open on the file.
            _log.Close(new ObjectDisposedException(nameof(PrimaryGrain)));
            _log.Dispose();
            await EndUploadsAsync();
            await _snapshots.CloseAsync();
            await _file.DisposeAsync();
        }
    }

    // A log that a quorum has in full copies on disk can do without what they hold. What is not in cold storage yet stays, where there is one: it would be missing there for ever.
    private Position TrimmablePosition(Position own)
    {
        var common = _leadership.Sets is { } known ? _bases.Common(own, known.Sets.Current, _context) : Position.Start;
        return _uploader is null ? common : _uploader.MayTrimTo(common);
    }

    // An idle grain leaves its promise with the node. One that could not confirm everything, or lost its leadership, leaves nothing.
    private async ValueTask LetGoAsync()
    {
        var (appended, confirmed) = _leadership.Positions;
        if (_context.Stopping.IsCancellationRequested)
        {
            _leadership.Resign(); // others need not wait for what was promised to this one
        }

        var released = _log.Failure is null && appended == confirmed && !_context.Stopping.IsCancellationRequested;
        await _leadership.EndAsync(released);
        if (released)
        {
            _context.Released.Keep(_database, _leadership.Promise, confirmed);
        }
    }

    // Calls may overtake each other: whoever comes last finds what is so now.
    private void OnRefusalChanged()
    {
        lock (_refusal)
        {
            _writer.Suspend(_log.Refusal is { } missing
                ? new RequestException(ErrorCodes.QuorumUnavailable, $"Too few followers have this database's log within reach: {missing} Nothing was done; try again.")
                : null);
        }
    }

    private void OnFailed(Exception reason)
    {
        if (reason is not RequestException { Error.Code: ErrorCodes.NoPrimary }) // a leadership that passed to another node was told already, and is no failure
        {
            PrimaryLog.Stopped(_context.Logger, _database, reason);
        }

        _writer.Refuse(new RequestException(ErrorCodes.NoPrimary, "The primary stopped. Nothing was done; try again."));
        _ = _ending.CancelAsync();
    }
}
