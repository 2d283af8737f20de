using System.Collections.Immutable;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Ways to the followers of this cluster, wherever they are. Safe for use by any thread.</summary>
public interface IFollowerLinks
{
    /// <summary>Keeps a stream open to a follower, with backoff after a failure, until the link is disposed.</summary>
    /// <param name="database">Whose log.</param>
    /// <param name="journal">The follower.</param>
    /// <param name="promise">The leadership that speaks.</param>
    /// <param name="observer">Told of the stream and of what comes over it, one call at a time.</param>
    IFollowerLink Open(DatabaseId database, Guid journal, Promise promise, IFollowerObserver observer);

    /// <summary>Asks a follower whether it has lost a leadership. It promises nothing.</summary>
    /// <returns><see langword="null"/> when it does not answer.</returns>
    Task<ProbeAnswer?> ProbeAsync(DatabaseId database, Guid journal, ulong activation, CancellationToken cancellationToken);
}

/// <summary>What a follower says of a leadership that somebody would like to replace.</summary>
/// <param name="HasLost">It has had no stream of that activation for long enough, or has promised another.</param>
/// <param name="Promised">What it has promised.</param>
/// <param name="Last">The end of its log.</param>
public readonly record struct ProbeAnswer(bool HasLost, Promise Promised, Position Last);

/// <summary>A leader's way to one follower of one database. Disposing ends the stream behind what was sent.</summary>
public interface IFollowerLink : IAsyncDisposable
{
    /// <summary>Sends, in order; does not wait. What is sent while there is no stream is dropped. The leader's window bounds what is on its way.</summary>
    void Send(LeaderMessage message);

    /// <summary>The stream is stuck: ends it, and opens another.</summary>
    void Reconnect();

    /// <summary>Says that the leader lets an idle grain go, which is no loss of leadership. The last thing before it is disposed.</summary>
    void Release();

    /// <summary>Reads some entries right behind a position, in order. Fails once the follower has promised another leadership.</summary>
    /// <param name="after">A position of the follower's log.</param>
    /// <param name="to">Nothing above this is wanted.</param>
    /// <param name="maxBytes">About so much, and at least one entry.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="JournalTrimmedException">The follower's log begins behind <paramref name="after"/>.</exception>
    /// <exception cref="RequestException">It does not answer, or refuses.</exception>
    Task<ImmutableArray<Entry>> ReadAsync(Position after, Position to, int maxBytes, CancellationToken cancellationToken);
}

/// <summary>Hears what comes from a follower. One call at a time; be quick, and do not throw.</summary>
public interface IFollowerObserver
{
    /// <summary>There is a stream.</summary>
    void Connected();

    /// <summary>It is gone.</summary>
    void Disconnected(string reason);

    /// <summary>The follower said something.</summary>
    void Received(FollowerMessage message);
}
