using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Primary;

namespace ReplicatedSqlite.Simulation;

/// <summary>A mistake that the checkers have to find.</summary>
/// <param name="Name">What goes wrong.</param>
/// <param name="Make">The mistake, for one story.</param>
/// <param name="IsRare">It takes more seeds to find it than the usual tests have time for.</param>
/// <param name="Stories">Stories of one kind, where it is looked for; without it, in all kinds.</param>
/// <param name="Script">A story of its own, for what random seeds rarely reach.</param>
internal sealed record PlantedFault(string Name, Func<Plant> Make, Func<Plant, StoryResult>? Script = null, bool IsRare = false, Func<World, StoryPlan>? Stories = null)
{
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        Follower("empty disk votes", (j, s, l, t, n) => new FollowerFaults.EmptyDiskVotes(j, s, l, t, n)),
        new("an Append of a higher epoch is no promise", () => new AppendIsNoPromise(isPromise: false)),
        Follower("an equal epoch of another activation is accepted", (j, s, l, t, n) => new FollowerFaults.AnyActivationOfAnEpoch(j, s, l, t, n)),
        Follower("a lower epoch is accepted", (j, s, l, t, n) => new FollowerFaults.LowerEpochsAreTaken(j, s, l, t, n)),
        Follower("ack = own last position", (j, s, l, t, n) => new FollowerFaults.AcksItsOwnEnd(j, s, l, t, n)),
        Follower("an ack does not wait for the disk", (j, s, l, t, n) => new FollowerFaults.AcksWhatIsNotOnDisk(j, s, l, t, n)),
        new("ack before fsync", () => new ShellFaults.AcksBeforeSync()),
        new("a restarted process acks what it read back", () => new ShellFaults.AcksWhatItReadBack(), Stories: StoryPlan.AboutRestarts),
        Follower("an old duplicate of an Append cuts", (j, s, l, t, n) => new FollowerFaults.OldAppendCuts(j, s, l, t, n)),
        Leader("seal with R-1", new LeaderFaults.OnePromiseLess()),
        Leader("the longest log is adopted, not the greatest", new LeaderFaults.AdoptsLongest()),
        new("entries of an older epoch are confirmed directly", () => new LeaderFault(new LeaderFaults.ConfirmsOldEntries()), plant => OldEntriesScript.Run(plant.Rules)),
        Leader("seal with a stale set", new LeaderFaults.StaleSet(), stories: StoryPlan.AboutSets),
        Leader("only the new set is sealed", new LeaderFaults.OnlyNewSetSealed(), stories: StoryPlan.AboutSets),
        Leader("only the new set confirms a change", new LeaderFaults.OnlyNewSetConfirms(), stories: StoryPlan.AboutSets),
        Leader("only the old set confirms a change", new LeaderFaults.OnlyOldSetConfirms(), stories: StoryPlan.AboutSets),
        Leader("the lease counts from the ack's arrival", new LeaderFaults.LeaseFromArrival(), isRare: true, StoryPlan.AboutLeases),
        Leader("the leader's lease is longer than the followers'", new LeaderFaults.LeaseForTooLong(), isRare: false, StoryPlan.AboutLeases),
        Follower("the follower's lease is shorter than the leader's", (j, s, l, t, n) => new FollowerFaults.LeaseTooShort(j, s, l, t, n), StoryPlan.AboutLeases),
        new("the lease is looked at before the read arrived", () => new ShellFaults.LeaseIsLookedAtBefore(), Stories: StoryPlan.AboutLeases),
        Leader("a read joins a round already under way", new LeaderFaults.JoinsRound(), isRare: true, StoryPlan.AboutLeases),
        new("a restarted follower forgets its lease", () => new ShellFaults.ForgetsLease(), IsRare: true, Stories: StoryPlan.AboutLeases),
        Follower("a Seal is taken for a resignation", (j, s, l, t, n) => new FollowerFaults.SealTakenForResignation(j, s, l, t, n), StoryPlan.AboutLeases),
        new("errors pass the gate", () => new ShellFaults.ErrorsPass()),
        new("a key's row that is not confirmed is answered", () => new ShellFaults.FoundKeysPass()),
        new("reads pass the gate", () => new ShellFaults.ReadsPass()),
        new("keys are not looked for", () => new ShellFaults.KeysAreIgnored()),
        new("unfinished parts are adopted", () => new ShellFaults.UnfinishedPartsAreAdopted(), Stories: StoryPlan.AboutParts),
        new("the image cache is kept over a lost leadership", () => new ShellFaults.ImagesAreKept()),
        new("pages of a discarded tail stay", () => new ShellFaults.PagesOfDiscardedTailStay()),
        Follower("a promise is not kept", (j, s, l, t, n) => new FollowerFaults.PromiseIsNotKept(j, s, l, t, n), StoryPlan.AboutRestarts),
        new("a promise is answered before its note is on disk", () => new ShellFaults.PromiseBeforeItsNote(), IsRare: true, Stories: StoryPlan.AboutRestarts),
        new("a session's bookmark is not merged", () => new ShellFaults.BookmarksAreForgotten()),
        new("a mark covers everything up to (epoch, sequence)", () => new ShellFaults.MarkCoversEverythingBelow(), Stories: StoryPlan.AboutReplicas),
        new("abandoned is said from an unconfirmed epoch", () => new ShellFaults.AbandonedByUnconfirmedEpoch(), UnconfirmedEpochScript.Run),
        new("a mixture of old and new pages is shown", () => new ShellFaults.MixturesAreShown()),
        new("hidden entries are shown", () => new ShellFaults.HiddenEntriesAreShown()),
    ];

    /// <summary>What is done otherwise than production does it, and is as safe: no checker may find anything.</summary>
    public static IReadOnlyList<PlantedFault> Variants { get; } =
    [
        new("leaders seal R followers only", () => new AppendIsNoPromise(isPromise: true)),
    ];

    /// <summary>A fault or a variant; <see langword="null"/> if there is none of that name.</summary>
    public static PlantedFault? Named(string name) => All.Concat(Variants).FirstOrDefault(fault => fault.Name == name);

    /// <summary>Runs one story with it.</summary>
    public StoryResult Run(int seed, Action<string>? log = null) => Script is null ? new Story(seed, Make(), log, Stories).Run() : Script(Make());

    public override string ToString() => Name;

    private static PlantedFault Follower(string name, Func<Guid, FollowerState, ILogView, FollowerTimes, long, FollowerCore> make, Func<World, StoryPlan>? stories = null) =>
        new(name, () => new FollowerFault(make), Stories: stories);

    private static PlantedFault Leader(string name, LeaderRules rules, bool isRare = false, Func<World, StoryPlan>? stories = null) =>
        new(name, () => new LeaderFault(rules), IsRare: isRare, Stories: stories);
}
