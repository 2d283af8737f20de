namespace ReplicatedSqlite.Simulation;

/// <summary>Something in a history that must not be.</summary>
/// <param name="Checker">Which rule it breaks.</param>
/// <param name="What">What was found and what was wanted.</param>
internal sealed record Finding(string Checker, string What)
{
    /// <summary>No checker's finding: something threw.</summary>
    public const string Thrown = "Thrown";

    public override string ToString() => $"{Checker}: {What}";
}

/// <summary>One rule about histories.</summary>
internal interface IChecker
{
    /// <summary>The first thing in the history that breaks the rule, in words; <see langword="null"/> if nothing does.</summary>
    string? Check(History history, Timeline timeline);
}

/// <summary>All the rules.</summary>
internal static class AllCheckers
{
    private static readonly IChecker[] Checkers =
    [
        new OneConfirmedEntryPerSequence(),
        new MarksStopAtPromises(),
        new AnsweredWritesSurvive(),
        new KeysRunOnce(),
        new NothingUnconfirmedIsSeen(),
        new ReadsSeeWholePrefixes(),
        new SessionsAreSequential(),
        new FirstPrimaryReadsAreFresh(),
        new OnlyLostBookmarksAreAbandoned(),
        new CopiesAreIdentical(),
        new NothingIsContradicted(),
        new CopiesConverge(),
        new WritesGoOnAfterHealing(),
    ];

    public static IReadOnlyList<Finding> Check(History history)
    {
        var timeline = new Timeline(history);
        var findings = new List<Finding>();
        foreach (var checker in Checkers)
        {
            if (checker.Check(history, timeline) is { } what)
            {
                findings.Add(new(checker.GetType().Name, what));
            }
        }

        return findings;
    }
}
