using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>A leadership's link to one follower. What comes over a link that was given up is not heard any more.</summary>
internal sealed class FollowerHearing : IFollowerObserver
{
    private readonly Leadership _owner;
    private readonly Guid _member;
    private readonly IFollowerLink _link;
    private volatile bool _ended;

    public FollowerHearing(Leadership owner, IFollowerLinks ways, Guid member)
    {
        _owner = owner;
        _member = member;
        _link = ways.Open(owner.Database, member, owner.Promise, this);
    }

    /// <summary>Sends, in order.</summary>
    public void Send(LeaderMessage message) => _link.Send(message);

    /// <summary>The stream is stuck; another one is opened.</summary>
    public void Reconnect() => _link.Reconnect();

    /// <summary>Reads entries of the follower's log.</summary>
    public Task<ImmutableArray<Entry>> ReadAsync(Position after, Position to, int maxBytes, CancellationToken cancellationToken) =>
        _link.ReadAsync(after, to, maxBytes, cancellationToken);

    /// <summary>Ends the link behind what was sent.</summary>
    public ValueTask EndAsync(bool released)
    {
        _ended = true;
        if (released)
        {
            _link.Release();
        }

        return _link.DisposeAsync();
    }

    void IFollowerObserver.Connected()
    {
        if (!_ended)
        {
            _owner.Connected(_member);
        }
    }

    void IFollowerObserver.Disconnected(string reason)
    {
        if (!_ended)
        {
            _owner.Disconnected(_member, reason);
        }
    }

    void IFollowerObserver.Received(FollowerMessage message)
    {
        if (!_ended)
        {
            _owner.Received(_member, message);
        }
    }
}
