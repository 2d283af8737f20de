namespace ReplicatedSqlite.Simulation;

/// <summary>What one story is about: chosen by its seed before it begins, or written down by a script.</summary>
internal sealed record StoryPlan
{
    public required int Nodes { get; init; }

    public required int Followers { get; init; }

    public int Clients { get; init; } = 3;

    /// <summary>Microseconds of the part with faults.</summary>
    public long Length { get; init; } = 6_000_000;

    /// <summary>Microseconds between two faults, at most.</summary>
    public long MostRest { get; init; } = 400_000;

    public NetworkWeather Weather { get; init; } = NetworkWeather.Calm;

    public (long Least, long Most) SyncTime { get; init; } = (100, 3_000);

    public double WriteShare { get; init; } = 0.5;

    public long MostThinking { get; init; } = 80_000;

    public int MostTurns { get; init; } = 12;

    public double FirstPrimaryShare { get; init; } = 0.6;

    /// <summary>Nodes take over by themselves; in a script they are told to.</summary>
    public bool HasWatchdogs { get; init; } = true;

    /// <summary>How many ways of the network are slow, each in one direction.</summary>
    public double SlowWays { get; init; }

    /// <summary>How often a reader of the control plane gets an older copy.</summary>
    public double StaleShare { get; init; }

    /// <summary>How often a leader that is cut off is so from the followers only, and goes on talking to replicas beside them.</summary>
    public double ForReplicasShare { get; init; } = 0.3;

    /// <summary>Replicas may subscribe while the epoch entry is on its way. Production waits, but nothing may hang on that: what they get stays hidden until it is confirmed.</summary>
    public bool ShipsEarly { get; init; }

    /// <summary>Reads rest on leases; else each on a round of its own.</summary>
    public bool ReadLease { get; init; } = true;

    /// <summary>Entries larger than this go in parts.</summary>
    public int PartBytes { get; init; } = 1 << 20;

    public long WindowBytes { get; init; } = 16 << 10;

    /// <summary>How much each kind of fault is liked in this story: most stories are about a few of them.</summary>
    public IReadOnlyList<int> Weights { get; init; } = [];

    public static StoryPlan Choose(World world)
    {
        switch (world.Random.Next(20))
        {
            case < 4:
                return AboutLeases(world);
            case < 6:
                return AboutSets(world);
            case < 8:
                return AboutParts(world);
            case < 10:
                return AboutReplicas(world);
            case 10:
                return AboutRestarts(world);
        }

        var followers = world.Random.Next(20) switch { 0 => 1, < 13 => 3, _ => 5 };
        return new StoryPlan
        {
            Nodes = followers + world.Random.Next(followers == 5 ? 1 : 0, followers == 5 ? 2 : 3),
            Followers = followers,
            Clients = world.Random.Next(3, 7),
            Length = world.Between(4_000_000, 9_000_000),
            MostRest = world.Between(150_000, 700_000),
            Weather = NetworkWeather.Choose(world),
            SyncTime = world.Random.Next(3) switch { 0 => (50L, 500L), 1 => (100L, 5_000L), _ => (1_000L, 30_000L) },
            WriteShare = world.Random.Next(3) switch { 0 => 0.3, 1 => 0.5, _ => 0.8 },
            MostThinking = world.Between(5_000, 60_000),
            SlowWays = world.Chance(0.2) ? 0.2 : 0,
            StaleShare = world.Chance(0.4) ? 0.2 : 0,
            ReadLease = world.Chance(0.8),
            ShipsEarly = world.Chance(0.3),
            PartBytes = world.Chance(0.4) ? world.Random.Next(60, 160) : 1 << 20,
            WindowBytes = world.Between(2_000, 16_000),
            Weights = [.. Enum.GetValues<NemesisKind>().Select(_ => world.Random.Next(3) switch { 0 => 0, 1 => 1, _ => 4 })],
        };
    }

    // Short sessions that begin at the primary, slow ways, and leaderships that overlap.
    public static StoryPlan AboutLeases(World world)
    {
        var weights = new int[Enum.GetValues<NemesisKind>().Length];
        weights[(int)NemesisKind.Depose] = 6;
        weights[(int)NemesisKind.TakeOver] = world.Random.Next(4);
        weights[(int)NemesisKind.PauseLeader] = world.Random.Next(4);
        weights[(int)NemesisKind.IsolateLeader] = world.Random.Next(4);
        weights[(int)NemesisKind.BlockOneWay] = world.Random.Next(3);
        weights[(int)NemesisKind.KillProcess] = world.Random.Next(4);
        weights[(int)NemesisKind.Move] = world.Random.Next(2);
        return new StoryPlan
        {
            Nodes = world.Chance(0.6) ? 3 : world.Random.Next(4, 6),
            Followers = 3,
            Clients = 6,
            Length = world.Between(3_000_000, 6_000_000),
            MostRest = world.Between(400_000, 900_000),
            Weather = NetworkWeather.Choose(world) with { LeastDelay = 50, MostDelay = 1_500 },
            SyncTime = (50, 500),
            WriteShare = 0.3,
            MostThinking = world.Between(5_000, 30_000),
            MostTurns = 3,
            FirstPrimaryShare = 0.95,
            SlowWays = world.Random.Next(3) switch { 0 => 0, 1 => 0.3, _ => 0.5 },
            ReadLease = world.Chance(0.8),
            Weights = weights,
        };
    }

    // The set changes all the time, and the catalogue is late.
    public static StoryPlan AboutSets(World world)
    {
        var weights = new int[Enum.GetValues<NemesisKind>().Length];
        weights[(int)NemesisKind.ChangeSet] = 4;
        weights[(int)NemesisKind.ChangeApart] = 6;
        weights[(int)NemesisKind.TakeOver] = 3;
        weights[(int)NemesisKind.Isolate] = 1;
        weights[(int)NemesisKind.Split] = 2;
        weights[(int)NemesisKind.KillProcess] = 2;
        weights[(int)NemesisKind.PauseLeader] = world.Random.Next(2);
        weights[(int)NemesisKind.EmptyDisk] = world.Random.Next(2);
        return new StoryPlan
        {
            Nodes = world.Random.Next(4, 7),
            Followers = 3,
            Clients = 5,
            Length = world.Between(4_000_000, 8_000_000),
            MostRest = world.Between(150_000, 500_000),
            Weather = NetworkWeather.Choose(world),
            SyncTime = (100, 3_000),
            MostThinking = 40_000,
            StaleShare = 0.5,
            Weights = weights,
        };
    }

    // Replicas beside the followers go on hearing leaders that are over, and hear others before they are confirmed.
    public static StoryPlan AboutReplicas(World world)
    {
        var weights = new int[Enum.GetValues<NemesisKind>().Length];
        weights[(int)NemesisKind.Depose] = 8;
        weights[(int)NemesisKind.Overlap] = 2;
        weights[(int)NemesisKind.TakeOver] = 2;
        weights[(int)NemesisKind.RestartReplica] = 1;
        weights[(int)NemesisKind.KillProcess] = world.Random.Next(2);
        return new StoryPlan
        {
            Nodes = world.Random.Next(5, 7),
            Followers = 3,
            Clients = 6,
            Length = world.Between(4_000_000, 8_000_000),
            MostRest = world.Between(200_000, 700_000),
            Weather = NetworkWeather.Choose(world) with { RepeatShare = 0.03, LateShare = 0.5 },
            SyncTime = (100, 3_000),
            MostThinking = 20_000,
            FirstPrimaryShare = 0.2,
            ForReplicasShare = 0.8,
            ShipsEarly = world.Chance(0.7),
            Weights = weights,
        };
    }

    // Disks are slow, and processes and power fail while much is on its way to them.
    public static StoryPlan AboutRestarts(World world)
    {
        var weights = new int[Enum.GetValues<NemesisKind>().Length];
        weights[(int)NemesisKind.KillTwice] = 6;
        weights[(int)NemesisKind.CutPower] = 4;
        weights[(int)NemesisKind.KillProcess] = 2;
        weights[(int)NemesisKind.TakeOver] = 3;
        weights[(int)NemesisKind.Overlap] = world.Random.Next(3);
        return new StoryPlan
        {
            Nodes = 3,
            Followers = 3,
            Clients = 6,
            Length = world.Between(4_000_000, 8_000_000),
            MostRest = world.Between(200_000, 600_000),
            Weather = NetworkWeather.Choose(world),
            SyncTime = (1_000, world.Between(10_000, 150_000)),
            WriteShare = 0.9,
            MostThinking = 15_000,
            Weights = weights,
        };
    }

    // Every entry goes in parts, and leaders go in the middle of them.
    public static StoryPlan AboutParts(World world)
    {
        var weights = new int[Enum.GetValues<NemesisKind>().Length];
        weights[(int)NemesisKind.KillProcess] = 4;
        weights[(int)NemesisKind.KillTwice] = 2;
        weights[(int)NemesisKind.CutPower] = 2;
        weights[(int)NemesisKind.TakeOver] = 4;
        weights[(int)NemesisKind.Depose] = 2;
        return new StoryPlan
        {
            Nodes = world.Random.Next(3, 5),
            Followers = 3,
            Clients = 6,
            Length = world.Between(4_000_000, 8_000_000),
            MostRest = world.Between(150_000, 600_000),
            Weather = NetworkWeather.Choose(world) with { MostDelay = world.Between(1_000, 30_000) },
            SyncTime = (50, 1_000),
            WriteShare = 0.9,
            MostThinking = 15_000,
            PartBytes = 64,
            Weights = weights,
        };
    }
}
