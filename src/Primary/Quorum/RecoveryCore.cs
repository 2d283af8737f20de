using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Collects promises until they suffice, and says which log is adopted.</summary>
/// <remarks>
/// R promises of each set that counts share a follower with every quorum that may have confirmed something, so the greatest end among them is at or above everything
/// that was confirmed, and its log holds all of it. It may sit on a single follower.
/// </remarks>
internal sealed class RecoveryCore(LeaderStart start, LeaderRules rules)
{
    private readonly Dictionary<Guid, Promised?> _promises = []; // without an answer: a follower that is under a tombstone already
    private readonly HashSet<Guid> _without = []; // holders that could not be read

    /// <summary>The newest sets that somebody knows.</summary>
    public KnownSets? Known { get; private set; } = start.OwnSets;

    /// <summary>The greatest mark that somebody knows.</summary>
    public Position Confirmed { get; private set; }

    /// <summary>The newest sets are confirmed: the ones before count no more.</summary>
    public bool IsDecided => Known is not null && rules.IsDecided(Known, Confirmed);

    /// <summary>The sets whose promises are needed.</summary>
    public ImmutableArray<FollowerSet> Needed => rules.SetsToSeal(Known, start.Hint, IsDecided);

    /// <summary>Whether R of every needed set promised, those that cannot be read left out.</summary>
    public bool IsSealed => Needed.All(set => set.Members.Count(IsUsable) >= rules.PromisesNeeded(set));

    /// <summary>What the epoch entry is to say.</summary>
    public FollowerSets SetsToWrite => rules.SetsToWrite(Known, start.Hint, IsDecided, start.ChangeTo);

    /// <summary>Everybody to ask: who may know something, and who is needed.</summary>
    public IEnumerable<Guid> Members => start.Hint.Members
        .Concat(Needed.SelectMany(static set => set.Members))
        .Concat(Known is { } known ? known.Sets.Both.SelectMany(static set => set.Members) : [])
        .Concat(start.ChangeTo?.Members ?? [])
        .Append(start.OwnJournal)
        .Distinct();

    /// <summary>A follower promised.</summary>
    /// <returns>Whether it named newer sets.</returns>
    public bool Add(Guid member, Promised answer)
    {
        _promises[member] = answer;
        _without.Remove(member);
        Confirmed = answer.Confirmed > Confirmed ? answer.Confirmed : Confirmed;
        if (answer.Sets is not { } sets || !rules.IsNewer(sets, Known))
        {
            return false;
        }

        Known = sets;
        return true;
    }

    /// <summary>A follower is under a tombstone already.</summary>
    public void AddDeleted(Guid member) => _promises[member] = null;

    /// <summary>A follower's promise counts no more: its journal is no member.</summary>
    public void Remove(Guid member) => _promises.Remove(member);

    /// <summary>A follower's log cannot be read; any R promises among the others will do.</summary>
    public void GoOnWithout(Guid member) => _without.Add(member);

    /// <summary>Those that could not be read are asked once more.</summary>
    public void TryAllAgain() => _without.Clear();

    /// <summary>The log to adopt.</summary>
    /// <param name="holder">Who has it; the own follower, if it does.</param>
    /// <param name="answer">What it said.</param>
    public bool TryChoose(out Guid holder, [NotNullWhen(true)] out Promised? answer)
    {
        (holder, answer) = (default, null);
        foreach (var member in Needed.SelectMany(static set => set.Members).Distinct())
        {
            if (!IsUsable(member) || _promises[member] is not { } promised)
            {
                continue;
            }

            var order = answer is null ? 1 : rules.Compare(promised.Last, answer.Last);
            if (order > 0 || (order == 0 && member == start.OwnJournal))
            {
                (holder, answer) = (member, promised);
            }
        }

        return answer is not null;
    }

    private bool IsUsable(Guid member) => _promises.ContainsKey(member) && !_without.Contains(member);
}
