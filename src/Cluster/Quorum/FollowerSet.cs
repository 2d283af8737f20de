using System.Collections.Immutable;

namespace ReplicatedSqlite.Cluster;

/// <summary>The followers of a database, named by their journals, and how many of them make a write durable. Immutable; equal by value.</summary>
public sealed class FollowerSet : IEquatable<FollowerSet>
{
    /// <summary>Most followers that a database may have.</summary>
    public const int MaxMembers = 9;

    /// <param name="members">Journal ids, without repetition; kept in ascending order.</param>
    /// <param name="quorum">More than half, so that two quorums always share a follower.</param>
    /// <exception cref="ArgumentException">The set cannot work, and why.</exception>
    public FollowerSet(IEnumerable<Guid> members, int quorum)
    {
        Members = [.. members.Order()];
        Quorum = quorum;
        if (Members.Length is 0 or > MaxMembers || Members.Distinct().Count() != Members.Length || Members.Contains(Guid.Empty))
        {
            throw new ArgumentException($"{Members.Length} followers were named; from 1 to {MaxMembers} different ones are wanted.", nameof(members));
        }

        if (quorum <= Members.Length / 2 || quorum > Members.Length)
        {
            throw new ArgumentException(
                $"A quorum of {quorum} was asked for with {Members.Length} followers; from {(Members.Length / 2) + 1} to {Members.Length} is possible.", nameof(quorum));
        }
    }

    /// <summary>Journal ids, ascending. N of them.</summary>
    public ImmutableArray<Guid> Members { get; }

    /// <summary>Q: so many must have an entry on disk before it is confirmed.</summary>
    public int Quorum { get; }

    /// <summary>R = N − Q + 1: so many must promise before a leadership may adopt; they share a follower with every quorum.</summary>
    public int SealQuorum => Members.Length - Quorum + 1;

    /// <summary>The smallest majority as quorum: 1 of 1, 2 of 3, 3 of 5.</summary>
    public static FollowerSet Majority(IEnumerable<Guid> members)
    {
        var all = members.ToList();
        return new(all, (all.Count / 2) + 1);
    }

    /// <summary>Whether a journal is one of the followers.</summary>
    public bool Contains(Guid journal) => Members.Contains(journal);

    /// <inheritdoc/>
    public bool Equals(FollowerSet? other) => other is not null && Quorum == other.Quorum && Members.AsSpan().SequenceEqual(other.Members.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FollowerSet);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Quorum, Members.Length, Members[0]);

    /// <inheritdoc/>
    public override string ToString() => $"{Quorum} of {Members.Length}";
}
