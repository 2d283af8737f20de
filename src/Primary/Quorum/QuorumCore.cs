using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Counts who has what on disk, and says what is confirmed: what a quorum of the followers has.</summary>
/// <remarks>
/// A synchronous state machine of one leadership, used by one thread at a time. Appends and acks are pipelined. An ack names a position of the
/// leader's own log; one that is not in it counts for nothing, because it may speak of another leader's entry with the same sequence.
/// </remarks>
internal sealed class QuorumCore
{
    private readonly Position[] _acked; // by member
    private readonly int _quorum;
    private readonly Queue<Position> _outstanding = new(); // appended and not confirmed, in order

    /// <param name="members">How many followers, the leader's own journal included.</param>
    /// <param name="quorum">How many of them must have an entry.</param>
    /// <param name="start">Where the log stands; confirmed already.</param>
    public QuorumCore(int members, int quorum, Position start)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(quorum);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quorum, members);
        _acked = new Position[members];
        _quorum = quorum;
        Array.Fill(_acked, start);
        Confirmed = start;
        Appended = start;
    }

    /// <summary>A quorum has everything up to here.</summary>
    public Position Confirmed { get; private set; }

    /// <summary>The end of the leader's log.</summary>
    public Position Appended { get; private set; }

    /// <summary>Entries on their way.</summary>
    public int Outstanding => _outstanding.Count;

    /// <summary>An entry was added to the leader's log and sent to the followers.</summary>
    public void Append(Position position)
    {
        if (position <= Appended)
        {
            throw new InvalidOperationException($"The log ends at {Appended}; an entry at {position} cannot follow it.");
        }

        Appended = position;
        _outstanding.Enqueue(position);
    }

    /// <summary>A follower has everything up to a position on disk.</summary>
    /// <returns>Whether more is confirmed now.</returns>
    public bool Ack(int member, Position position)
    {
        if (position <= _acked[member] || !IsOutstanding(position))
        {
            return false;
        }

        _acked[member] = position;
        var confirmed = NthGreatest();
        if (confirmed <= Confirmed)
        {
            return false;
        }

        Confirmed = confirmed;
        while (_outstanding.TryPeek(out var oldest) && oldest <= confirmed)
        {
            _outstanding.Dequeue();
        }

        return true;
    }

    // What was confirmed already needs no second look, so only the outstanding entries can be acked to any effect.
    private bool IsOutstanding(Position position)
    {
        foreach (var outstanding in _outstanding)
        {
            if (outstanding == position)
            {
                return true;
            }

            if (outstanding > position)
            {
                return false;
            }
        }

        return false;
    }

    private Position NthGreatest()
    {
        Span<Position> sorted = stackalloc Position[_acked.Length];
        _acked.CopyTo(sorted);
        sorted.Sort();
        return sorted[^_quorum];
    }
}
