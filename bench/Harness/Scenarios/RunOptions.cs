namespace ReplicatedSqlite.Bench.Harness;

/// <summary>How long and how hard.</summary>
internal sealed record RunOptions
{
    public required TimeSpan Duration { get; init; }

    public required TimeSpan WarmUp { get; init; }

    public required int Rate { get; init; }

    public required int Callers { get; init; }

    public required int Rounds { get; init; }

    public required string Regions { get; init; }

    public required int Seed { get; init; }
}

/// <summary>A scenario: measures, and checks its own answers.</summary>
internal interface IScenario
{
    string Name { get; }

    Task RunAsync(ServerProcess server, RunOptions options, List<Result> results, List<string> notes);
}

/// <summary>The answers were not what they must be; the run has failed whatever it measured.</summary>
internal sealed class WrongAnswerException(string message) : Exception(message);
