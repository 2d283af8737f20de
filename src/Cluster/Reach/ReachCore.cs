namespace ReplicatedSqlite.Cluster;

/// <summary>What one node knows of its way to another: how long it takes, whether it answers, whether calls to it should wait. Time and events in; no I/O, no locks.</summary>
public sealed class ReachCore(ReachTimes times)
{
    private const double Gain = 1.0 / 8; // of a new measurement, as TCP has it

    private long? _oldestUnanswered;
    private long _silentSince; // while it is silent
    private long? _heardAt;
    private long _asideUntil = long.MinValue;
    private long _asideFor;

    /// <summary>Microseconds, smoothed; <see langword="null"/> before the first answer.</summary>
    public double? RoundTrip { get; private set; }

    /// <summary>It owes an answer for too long, or cannot be reached.</summary>
    public bool IsSilent { get; private set; }

    /// <summary>It has been silent for so long that its connections are worth nothing, though nobody has closed them.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether calls that can go elsewhere should.</summary>
    public bool IsAside(long now) => IsSilent || now < _asideUntil;

    /// <summary>A ping left.</summary>
    public void Sent(long now) => _oldestUnanswered ??= now;

    /// <summary>An answer came.</summary>
    /// <param name="sentAt">When its ping left.</param>
    /// <param name="now">Now.</param>
    public void Answered(long sentAt, long now)
    {
        var sample = (double)Math.Max(0, now - sentAt);
        RoundTrip = RoundTrip is { } smoothed && !IsSilent ? smoothed + ((sample - smoothed) * Gain) : sample;
        _oldestUnanswered = null; // later pings that are on their way have time left
        IsSilent = false;
        IsLost = false;
    }

    /// <summary>Something else came from it: it is not lost yet, though its answer takes long. A node that is very busy answers late and goes on.</summary>
    public void Heard(long at)
    {
        _heardAt = Math.Max(_heardAt ?? at, at);
        IsLost &= at - _silentSince > times.LossAtMost;
    }

    /// <summary>This node stood still itself, or was too busy to look. That time nobody else is to blame for.</summary>
    /// <param name="by">How long; before <see cref="Pass"/>.</param>
    /// <param name="now">When it was over. What has happened since it began is not later than that.</param>
    public void Paused(long by, long now)
    {
        _oldestUnanswered = _oldestUnanswered is { } sent ? Math.Min(sent + by, now) : null;
        _heardAt = _heardAt is { } heard ? Math.Min(heard + by, now) : null;
        _silentSince = Math.Min(_silentSince + by, now);
    }

    /// <summary>A ping failed: nobody is there, or the connection broke.</summary>
    public void PingFailed(long now)
    {
        FallSilent(_oldestUnanswered ?? now);
        _oldestUnanswered = null;
    }

    /// <summary>A call to it failed.</summary>
    public void CallFailed(long now)
    {
        var isAgain = now < _asideUntil + times.AsideAtMost && _asideFor > 0;
        _asideFor = isAgain ? Math.Min(_asideFor * 2, times.AsideAtMost) : times.AsideFirst;
        _asideUntil = now + _asideFor;
    }

    /// <summary>Time passes.</summary>
    /// <param name="now">Now.</param>
    /// <param name="isPinged">Off for a node that the control plane does not know any more: that it answers no pings says nothing about it then.</param>
    public void Pass(long now, bool isPinged = true)
    {
        if (_oldestUnanswered is { } sentAt && now - sentAt > times.Silence)
        {
            FallSilent(sentAt);
        }

        IsLost |= IsSilent && (now - Math.Max(_silentSince, _heardAt ?? _silentSince) > times.Loss || (isPinged && now - _silentSince > times.LossAtMost));
    }

    private void FallSilent(long since)
    {
        _silentSince = IsSilent ? _silentSince : since;
        IsSilent = true;
    }
}
