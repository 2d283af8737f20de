using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Counts who has what on disk, and says what is confirmed: what a quorum of every set that counts has.</summary>
/// <remarks>
/// A synchronous state machine of one leadership, used by one thread at a time. Appends and acks are pipelined. An ack names a position of the
/// leader's own log; one that is not in it counts for nothing, because it may speak of another leader's entry with the same sequence.
/// </remarks>
internal sealed class QuorumCore
{
    private readonly LogTail _outstanding = new(); // appended and not confirmed
    private Position[] _acked; // by member
    private QuorumNeed[] _needs;

    /// <summary>One set.</summary>
    /// <param name="members">How many followers, the leader's own journal included.</param>
    /// <param name="quorum">How many of them must have an entry.</param>
    /// <param name="start">Where the log stands; confirmed already.</param>
    public QuorumCore(int members, int quorum, Position start)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(quorum);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quorum, members);
        _acked = new Position[members];
        _needs = [new([.. Enumerable.Range(0, members)], quorum)];
        Array.Fill(_acked, start);
        Confirmed = start;
        Appended = start;
    }

    /// <summary>Nobody yet, so nothing is common to a quorum.</summary>
    public QuorumCore() => (_acked, _needs) = ([], []);

    /// <summary>A quorum has everything up to here.</summary>
    public Position Confirmed { get; private set; }

    /// <summary>The end of the leader's log.</summary>
    public Position Appended { get; private set; }

    /// <summary>Entries on their way.</summary>
    public int Outstanding => _outstanding.Count;

    /// <summary>Takes in a follower that has nothing yet.</summary>
    /// <returns>Its index.</returns>
    public int Add()
    {
        _acked = [.. _acked, Position.Start];
        return _acked.Length - 1;
    }

    /// <summary>From now on quorums of these are needed, of each one.</summary>
    public void Need(params IEnumerable<QuorumNeed> needs) => _needs = [.. needs];

    /// <summary>An entry was added to the leader's log and sent to the followers.</summary>
    public void Append(Position position)
    {
        if (position <= Appended)
        {
            throw new InvalidOperationException($"The log ends at {Appended}; an entry at {position} cannot follow it.");
        }

        Appended = position;
        _outstanding.Add(position);
    }

    /// <summary>A follower has everything up to a position on disk.</summary>
    /// <returns>Whether more is confirmed now.</returns>
    public bool Ack(int member, Position position)
    {
        // What was confirmed already needs no second look, so only the outstanding entries can be acked to any effect.
        if (!_outstanding.Holds(position) || !Count(member, position))
        {
            return false;
        }

        if (Common() is var common && common <= Confirmed)
        {
            return false;
        }

        Confirmed = common;
        _outstanding.DropTo(common);
        return true;
    }

    /// <summary>Notes an ack for a position that is known to be in the leader's log.</summary>
    /// <returns>Whether it says anything new.</returns>
    public bool Count(int member, Position position)
    {
        if (position <= _acked[member])
        {
            return false;
        }

        _acked[member] = position;
        return true;
    }

    /// <summary>What a follower acknowledged counts no more: its journal lost it.</summary>
    public void Forget(int member) => _acked[member] = Position.Start;

    /// <summary>The greatest position that a quorum of every set has.</summary>
    public Position Common()
    {
        var common = _needs.Length == 0 ? Position.Start : NthGreatest(_needs[0]);
        for (var i = 1; i < _needs.Length; i++)
        {
            if (NthGreatest(_needs[i]) is var other && other < common)
            {
                common = other;
            }
        }

        return common;
    }

    private Position NthGreatest(in QuorumNeed need)
    {
        // A handful: each is put in its place among the greatest so far.
        Span<Position> greatest = stackalloc Position[need.Quorum];
        var count = 0;
        foreach (var member in need.Members)
        {
            var acked = _acked[member];
            var at = count;
            while (at > 0 && greatest[at - 1] < acked)
            {
                if (at < greatest.Length)
                {
                    greatest[at] = greatest[at - 1];
                }

                at--;
            }

            if (at < greatest.Length)
            {
                greatest[at] = acked;
                count = Math.Min(count + 1, greatest.Length);
            }
        }

        return count < greatest.Length ? Position.Start : greatest[^1];
    }
}

/// <summary>One set, as indices of its members.</summary>
/// <param name="Members">All of them.</param>
/// <param name="Quorum">How many of them must have an entry.</param>
internal readonly record struct QuorumNeed(int[] Members, int Quorum);
