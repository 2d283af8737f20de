namespace ReplicatedSqlite.Simulation;

/// <summary>What the clients of one story share: numbers that are given once, and how they behave.</summary>
internal sealed class ClientNumbers
{
    public const int MaxWrites = 2_000;

    private int _sessions;

    public int Writes { get; private set; }

    public int Keys { get; private set; }

    public double WriteShare { get; init; } = 0.5;

    /// <summary>Microseconds between two operations of a client, at most.</summary>
    public long MostThinking { get; init; } = 80_000;

    /// <summary>Operations of a session, below this.</summary>
    public int MostTurns { get; init; } = 12;

    /// <summary>How many sessions begin at the primary.</summary>
    public double FirstPrimaryShare { get; init; } = 0.6;

    public int NextSession() => ++_sessions;

    public int NextWrite() => ++Writes;

    public int NextKey() => Keys++;
}
