using System.Diagnostics;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A short dose of <c>./test chaos</c>, and that it finds what is wrong.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task What_was_answered_survives_kills_and_power_cuts_and_processes_that_stand_still()
    {
        ProcessCluster.SkipIfMissing();
        var seed = Dose.IsFull ? Dose.Seed() : 1; // the usual run looks for what has changed, not for what nobody knows yet
        var result = await ChaosStory.TellAsync(new() { Seed = seed, Nodes = 3, Length = TimeSpan.FromSeconds(Dose.Of(5, 60)), FillsDisk = Dose.IsFull }, Say);
        Tell(result);
        Assert.True(result.Passed, $"./test chaos --minutes 0 --seed {seed} --nodes 3\n{string.Join('\n', result.Findings)}\nkept: {result.Kept}");
        Assert.True(result.Counts["writes answered"] > 0);
    }

    [Fact(Explicit = true)]
    public async Task A_disk_that_lies_about_its_syncs_is_found()
    {
        ProcessCluster.SkipIfMissing();
        Assert.SkipWhen(FaultShim.Missing is not null, FaultShim.Missing ?? "");
        using var folder = new TemporaryFolder();
        var result = await ChaosStory.TellAsync(new() { Seed = Dose.Seed(), Nodes = 3, Length = TimeSpan.FromSeconds(3), SyncsLie = true, KeepIn = folder.Path }, Say);
        Tell(result);
        Assert.Contains(result.Findings, finding => finding.Checker == "AnsweredWritesSurvive");
    }

    [Fact(Explicit = true)]
    public async Task A_region_that_is_cut_off_reads_what_it_has_and_says_what_it_cannot_do_and_comes_back()
    {
        ProcessCluster.SkipIfMissing();
        Assert.SkipWhen(RegionsNetwork.Missing is not null, RegionsNetwork.Missing ?? "");

        // In the network of the clients, where this process is not.
        var start = new ProcessStartInfo("dotnet", [typeof(ChaosTests).Assembly.Location, "cut-off"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).InTimeAsync(TimeSpan.FromMinutes(5));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Say(output);
        Assert.True(process.ExitCode == 0, output);
    }

    [Fact]
    public void Bookmarks_of_two_histories_are_told_apart()
    {
        static SeenBookmark Seen(uint epoch, ulong sequence, ulong tag, int place, bool isWrite = true) => new(new(epoch, sequence, tag), place, isWrite);
        Assert.Null(StoryChecks.BookmarkFault([Seen(1, 3, 7, 1), Seen(1, 4, 8, 2), Seen(2, 6, 9, 3), Seen(2, 6, 9, 3, isWrite: false), Seen(1, 4, 8, -1, isWrite: false)]));
        Assert.NotNull(StoryChecks.BookmarkFault([Seen(1, 3, 7, 1), Seen(2, 3, 8, 1)])); // one sequence, two epochs
        Assert.NotNull(StoryChecks.BookmarkFault([Seen(1, 3, 7, 1), Seen(1, 3, 8, 1)])); // or two hashes
        Assert.NotNull(StoryChecks.BookmarkFault([Seen(2, 3, 7, 1), Seen(1, 4, 8, 2)])); // epochs go back
        Assert.NotNull(StoryChecks.BookmarkFault([Seen(1, 3, 7, 2), Seen(1, 4, 8, 1)])); // places do
        Assert.NotNull(StoryChecks.BookmarkFault([Seen(1, 3, 7, 1), Seen(1, 4, 8, 2), Seen(1, 3, 7, 2, isWrite: false)])); // a bookmark before what was seen
    }

    private static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static void Tell(ChaosResult result) => Say(string.Join('\n', result.Counts.Select(pair => $"{pair.Value,10} {pair.Key}")));
}
