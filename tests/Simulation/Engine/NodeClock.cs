namespace ReplicatedSqlite.Simulation;

/// <summary>A node's monotonic clock: its own origin, and a rate that is not quite true.</summary>
internal sealed class NodeClock(World world, double rate, long origin)
{
    public double Rate => rate;

    public long Now => origin + (long)(world.Now * rate);

    /// <summary>How much true time it is until this clock shows a moment.</summary>
    public long Until(long moment) => Math.Max(0, (long)Math.Ceiling((moment - Now) / rate));
}
