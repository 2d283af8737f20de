namespace ReplicatedSqlite.Simulation;

/// <summary>No copy and no follower ever meets something that contradicts what was confirmed to it, or a patch for another page than it has.</summary>
internal sealed class NothingIsContradicted : IChecker
{
    public string? Check(History history, Timeline timeline) =>
        history.Contradictions is [var first, ..] ? $"{first.Who} stopped at {first.At}: {first.What}" : null;
}
