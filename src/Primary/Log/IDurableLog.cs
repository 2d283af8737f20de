using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Makes a log durable under one leadership, and says what a quorum has. Safe for use by any thread.</summary>
internal interface IDurableLog
{
    /// <summary>Why nothing can be confirmed for now; <see langword="null"/> while enough followers answer.</summary>
    string? Unavailable { get; }

    /// <summary>Why a follower was missed last; <see langword="null"/> if none was.</summary>
    string? Trouble { get; }

    /// <summary>Takes an entry, in the log's order. Whatever becomes of it is told to the observer.</summary>
    void Append(Entry entry);

    /// <summary>Entries right after a position, at least one if there is one, about so many bytes. Nothing if the log does not reach back so far.</summary>
    IReadOnlyList<Entry> Read(Position after, int maxBytes);

    /// <summary>Completes with whether this leadership stood at a moment after the call: then nothing that it does not know was answered before.</summary>
    /// <param name="keepsLease">More is expected to ask soon, and is to have a proof at hand.</param>
    ValueTask<bool> ProveAsync(bool keepsLease = true);

    /// <summary>The log up to here is in a durable base.</summary>
    void Trim(Position to);
}

/// <summary>Hears what becomes of a log. Calls may come from any thread and overtake each other; be quick.</summary>
internal interface IDurableLogObserver
{
    /// <summary>Everything up to here is confirmed.</summary>
    void OnConfirmed(Position position);

    /// <summary><see cref="IDurableLog.Unavailable"/> has changed.</summary>
    void OnAvailability();

    /// <summary>The leadership is over. Once.</summary>
    void OnLost(Exception reason);
}
