namespace ReplicatedSqlite.Simulation;

/// <summary>How the network of one story behaves. Delays are microseconds.</summary>
internal sealed record NetworkWeather
{
    public long LeastDelay { get; init; } = 200;

    public long MostDelay { get; init; } = 5_000;

    /// <summary>How often a message takes much longer.</summary>
    public double SlowShare { get; init; }

    public long MostSlowDelay { get; init; }

    /// <summary>How often a call is lost.</summary>
    public double LossShare { get; init; }

    /// <summary>How often a message arrives a second time, later.</summary>
    public double RepeatShare { get; init; }

    /// <summary>How often what was on its way when a stream ended still arrives, late.</summary>
    public double LateShare { get; init; }

    public static NetworkWeather Calm { get; } = new();

    public static NetworkWeather Choose(World world) => new()
    {
        LeastDelay = world.Between(50, 1_000),
        MostDelay = world.Between(1_000, world.Chance(0.3) ? 40_000 : 8_000),
        SlowShare = world.Chance(0.5) ? 0.03 : 0,
        MostSlowDelay = world.Between(20_000, 400_000),
        LossShare = world.Chance(0.5) ? 0.02 : 0,
        RepeatShare = world.Chance(0.6) ? 0.03 : 0,
        LateShare = world.Chance(0.6) ? 0.5 : 0,
    };
}
