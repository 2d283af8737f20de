using ReplicatedSqlite.Primary;

namespace ReplicatedSqlite.Simulation;

public class ScriptTests
{
    [Fact]
    public void An_entry_of_an_older_epoch_is_confirmed_only_behind_one_of_this_epoch() => Assert.Empty(OldEntriesScript.Run(LeaderRules.Default).Findings);

    [Fact]
    public void Confirmed_directly_it_is_lost_and_a_checker_says_so() =>
        Assert.Contains(nameof(NothingIsContradicted), OldEntriesScript.Run(new LeaderFaults.ConfirmsOldEntries()).Findings.Select(finding => finding.Checker));

    [Fact]
    public void Nothing_is_abandoned_for_an_epoch_that_is_not_confirmed() => Assert.Empty(UnconfirmedEpochScript.Run(new Plant()).Findings);

    [Fact]
    public void Said_from_an_unconfirmed_epoch_abandoned_is_wrong_and_a_checker_says_so() =>
        Assert.Contains(nameof(OnlyLostBookmarksAreAbandoned), UnconfirmedEpochScript.Run(new ShellFaults.AbandonedByUnconfirmedEpoch()).Findings.Select(finding => finding.Checker));
}
