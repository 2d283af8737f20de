using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Decides what of one database's log goes to cold storage and when, when a snapshot is due, and what the log may be trimmed behind.</summary>
/// <remarks>
/// A state machine: events and the time in, actions out. One thing is done to the log at a time; a snapshot's pages are copied beside it. While everything confirmed is stored, nothing is asked of
/// the store. A snapshot gets its name only when all entries up to its <i>to</i> are stored. One thread at a time.
/// </remarks>
internal sealed class UploadCore
{
    private readonly UploadOptions _options;
    private readonly bool _isLeader;
    private readonly TimeSpan _chance; // a follower's own: several that wait do not come together

    private Position _confirmed;
    private Position? _stored; // null until the store was looked at
    private long _pendingBytes; // confirmed and not stored, as far as it was told
    private TimeSpan? _pendingSince;
    private bool _isBusy; // with the log
    private bool _isAsked; // not to wait
    private bool _mustBegin; // the log does not reach back to what is stored: a snapshot begins the chain anew
    private bool _isBeginning; // that snapshot is taken, and has no name yet
    private bool _hasBegun; // that has happened
    private long _bytesSinceSnapshot;
    private int _segmentsSinceSnapshot;
    private long _databaseBytes;
    private SnapshotStage _stage;
    private (Position From, Position To) _taken;
    private TimeSpan _notBefore;
    private TimeSpan _noSnapshotBefore;
    private int _failures;
    private int _snapshotFailures;

    /// <param name="options">When.</param>
    /// <param name="isLeader">The primary's node; else a follower, which waits longer and looks at the store before each upload.</param>
    /// <param name="confirmed">Nothing is known to be pending up to here.</param>
    /// <param name="stored">What is known to be stored; <see langword="null"/>: the store is asked.</param>
    /// <param name="chance">Added to a follower's wait.</param>
    public UploadCore(UploadOptions options, bool isLeader, Position confirmed, StoredLog? stored = null, TimeSpan chance = default)
    {
        _options = options;
        _isLeader = isLeader;
        _chance = chance;
        _confirmed = confirmed;
        if (stored is not null)
        {
            (_stored, Base, _bytesSinceSnapshot, _segmentsSinceSnapshot) = (stored.To, stored.Base, stored.BytesSinceBase, stored.SegmentsSinceBase);
        }
    }

    private enum SnapshotStage
    {
        None,
        Taking,
        Waiting, // for the log to be stored up to its end
        Publishing,
    }

    /// <summary>Everything up to here is in the store; <see langword="null"/> while that is not known, or what it begins with has no name yet.</summary>
    public Position? StoredTo => _mustBegin || _isBeginning ? null : _stored;

    /// <summary>The newest snapshot holds everything up to here, and the store all that follows: the log may be trimmed behind it.</summary>
    public Position Base { get; private set; }

    /// <summary>What is known of the store; <see langword="null"/> while nothing is.</summary>
    public StoredLog? Known => StoredTo is { } stored ? new StoredLog(stored, Base, _bytesSinceSnapshot, _segmentsSinceSnapshot) : null;

    /// <summary>Everything that was told of as confirmed is stored.</summary>
    public bool IsDone => StoredTo >= _confirmed;

    /// <summary>When <see cref="Advance"/> has something to do without another event; <see langword="null"/>: never.</summary>
    public TimeSpan? NextWake
    {
        get
        {
            TimeSpan? wake = null;
            if (!_isBusy && HasPending && !(_mustBegin && _stage != SnapshotStage.None))
            {
                wake = Max(_isAsked || _pendingBytes >= _options.SegmentBytes ? TimeSpan.Zero : _pendingSince!.Value + Wait, _notBefore);
            }

            if (IsSnapshotDue && Min(wake, _noSnapshotBefore) is var earlier)
            {
                wake = earlier;
            }

            return wake;
        }
    }

    private bool HasPending => _pendingSince is not null;

    private TimeSpan Wait => _isLeader ? _options.Every : _options.FollowerEvery + _chance;

    private bool IsSnapshotDue => _isLeader && _stage == SnapshotStage.None && (_mustBegin
        || _bytesSinceSnapshot > Math.Max(_databaseBytes, _options.LeastSnapshotBytes)
        || _segmentsSinceSnapshot > _options.MaxSegmentsPerSnapshot);

    /// <summary>More is confirmed.</summary>
    /// <param name="position">Up to here.</param>
    /// <param name="bytes">Of entries since the last call, where known.</param>
    /// <param name="now">The time.</param>
    /// <param name="actions">What to do.</param>
    public void Confirm(Position position, long bytes, TimeSpan now, List<UploadAction> actions)
    {
        if (position <= _confirmed && HasPending)
        {
            return;
        }

        _confirmed = position > _confirmed ? position : _confirmed;
        if (_stored >= _confirmed)
        {
            return;
        }

        _pendingBytes += bytes;
        _pendingSince ??= now;
        Advance(now, actions);
    }

    /// <summary>Somebody needs what is confirmed to be stored now.</summary>
    public void Ask(TimeSpan now, List<UploadAction> actions)
    {
        if (!(_stored >= _confirmed))
        {
            _isAsked = true;
            _notBefore = now;
            _pendingSince ??= now;
        }

        Advance(now, actions);
    }

    /// <summary>Time went by.</summary>
    public void Advance(TimeSpan now, List<UploadAction> actions)
    {
        if (IsSnapshotDue && now >= _noSnapshotBefore)
        {
            _stage = SnapshotStage.Taking;
            actions.Add(new UploadAction.TakeSnapshot());
        }

        if (_isBusy || !HasPending || now < _notBefore || _mustBegin
            || !(_isAsked || _pendingBytes >= _options.SegmentBytes || now >= _pendingSince + Wait))
        {
            return;
        }

        _isBusy = true;
        if (_isLeader && _stored is { } stored)
        {
            actions.Add(new UploadAction.Store(stored));
        }
        else
        {
            actions.Add(new UploadAction.Find());
        }
    }

    /// <summary>The store was looked at.</summary>
    /// <param name="stored">What it has of this log.</param>
    /// <param name="databaseBytes">The database's size.</param>
    /// <param name="now">The time.</param>
    /// <param name="actions">What to do.</param>
    public void Found(StoredLog stored, long databaseBytes, TimeSpan now, List<UploadAction> actions)
    {
        _isBusy = false;
        _failures = 0;
        (_stored, Base) = (stored.To, stored.Base);
        (_bytesSinceSnapshot, _segmentsSinceSnapshot, _databaseBytes) = (stored.BytesSinceBase, stored.SegmentsSinceBase, databaseBytes);
        if (Settle(now))
        {
            actions.Add(new UploadAction.Store(stored.To));
            _isBusy = true;
        }
        else
        {
            Advance(now, actions);
        }
    }

    /// <summary>A segment is stored.</summary>
    public void Stored(Position last, long bytes, long databaseBytes, TimeSpan now, List<UploadAction> actions)
    {
        _isBusy = false;
        _failures = 0;
        _stored = last;
        _bytesSinceSnapshot += bytes;
        _segmentsSinceSnapshot++;
        _databaseBytes = databaseBytes;
        _pendingBytes = Math.Max(0, _pendingBytes - bytes);
        var more = Settle(now);
        PublishIfStored(actions);
        if (more && (_isAsked || !_isLeader || bytes >= _options.SegmentBytes))
        {
            _isBusy = true;
            actions.Add(new UploadAction.Store(last)); // there was more than one segment
            return;
        }

        Advance(now, actions);
    }

    /// <summary>The log here begins behind what is stored.</summary>
    public void LogGone(TimeSpan now, List<UploadAction> actions)
    {
        _isBusy = false;
        if (!_isLeader)
        {
            // Only the primary has a file to begin with; it is asked for again when something new is confirmed.
            (_stored, _pendingSince, _pendingBytes) = (null, null, 0);
            return;
        }

        _mustBegin = true;
        if (_hasBegun)
        {
            _noSnapshotBefore = now + Pause(++_snapshotFailures); // the one that the chain was begun with did not help
        }

        _isBeginning = false;
        if (_stage == SnapshotStage.Waiting)
        {
            _stage = SnapshotStage.None; // taken from before the gap
        }

        Advance(now, actions);
    }

    /// <summary>Looking or storing failed.</summary>
    public void Failed(TimeSpan now, List<UploadAction> actions)
    {
        _isBusy = false;
        _failures++;
        _stored = _isLeader ? _stored : null;
        _notBefore = now + Pause(_failures);
        Advance(now, actions);
    }

    /// <summary>A main file's pages are stored.</summary>
    public void Taken(Position from, Position to, TimeSpan now, List<UploadAction> actions)
    {
        _taken = (from, to);
        _stage = SnapshotStage.Waiting;
        if (_mustBegin)
        {
            (_mustBegin, _isBeginning, _hasBegun) = (false, true, true);
            _stored = from; // the chain goes on from here
            _pendingSince ??= now;
            _isAsked |= from < _confirmed;
            Settle(now);
        }

        PublishIfStored(actions);
        Advance(now, actions);
    }

    /// <summary>The snapshot has its name.</summary>
    /// <param name="bytes">Of segments behind its <i>from</i>, as far as is known.</param>
    /// <param name="now">The time.</param>
    /// <param name="actions">What to do.</param>
    public void Published(long bytes, TimeSpan now, List<UploadAction> actions)
    {
        _stage = SnapshotStage.None;
        _snapshotFailures = 0;
        _isBeginning = false;
        Base = _taken.From;
        (_bytesSinceSnapshot, _segmentsSinceSnapshot) = (bytes, 0);
        Advance(now, actions);
    }

    /// <summary>The main file is still the one that the newest snapshot has: another would be the same.</summary>
    public void Unchanged(TimeSpan now, List<UploadAction> actions)
    {
        _stage = SnapshotStage.None;
        _noSnapshotBefore = now + _options.Every; // a checkpoint comes at the latest when the WAL is long
        Advance(now, actions);
    }

    /// <summary>Taking the snapshot, or giving it its name, failed; it is taken anew.</summary>
    public void SnapshotFailed(TimeSpan now, List<UploadAction> actions)
    {
        _stage = SnapshotStage.None;
        _mustBegin |= _isBeginning; // what is stored behind it leads nowhere without it
        _isBeginning = false;
        _snapshotFailures++;
        _noSnapshotBefore = now + Pause(_snapshotFailures);
        Advance(now, actions);
    }

    // Whether something confirmed is left to store.
    private bool Settle(TimeSpan now)
    {
        if (_stored >= _confirmed)
        {
            (_pendingSince, _pendingBytes, _isAsked) = (null, 0, false);
            return false;
        }

        _pendingSince = _isAsked ? _pendingSince ?? now : now;
        return true;
    }

    private void PublishIfStored(List<UploadAction> actions)
    {
        if (_stage == SnapshotStage.Waiting && _stored >= _taken.To)
        {
            _stage = SnapshotStage.Publishing;
            actions.Add(new UploadAction.Publish());
        }
    }

    private TimeSpan Pause(int failures) =>
        TimeSpan.FromMilliseconds(Math.Min(_options.LongestPause.TotalMilliseconds, _options.FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 20))));

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan? left, TimeSpan right) => left is { } known && known < right ? known : right;
}

/// <summary>What a store has of a log.</summary>
/// <param name="To">All of it up to here; the start if there is nothing.</param>
/// <param name="Base">What the newest snapshot holds everything up to; the start if there is none.</param>
/// <param name="BytesSinceBase">Of segments behind that.</param>
/// <param name="SegmentsSinceBase">How many those are.</param>
internal sealed record StoredLog(Position To, Position Base, long BytesSinceBase, int SegmentsSinceBase);
