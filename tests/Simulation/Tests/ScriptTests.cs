using ReplicatedSqlite.Primary;

namespace ReplicatedSqlite.Simulation;

public class ScriptTests
{
    [Fact]
    public void An_entry_of_an_older_epoch_is_confirmed_only_behind_one_of_this_epoch() => Assert.Empty(OldEntriesScript.Run(LeaderRules.Default).Findings);

    [Fact]
    public void Confirmed_directly_it_is_lost_and_a_checker_says_so() =>
        Assert.Contains(nameof(NothingIsContradicted), OldEntriesScript.Run(new LeaderFaults.ConfirmsOldEntries()).Findings.Select(finding => finding.Checker));
}
