namespace ReplicatedSqlite.Simulation;

/// <summary>Who reaches whom, and how long it takes. Calls may be lost and overtake each other; streams keep their order.</summary>
internal sealed class SimulatedNetwork(World world, int nodes)
{
    private readonly bool[,] _blocked = new bool[nodes + 1, nodes + 1]; // one way; the last place is the clients'
    private readonly List<SimulatedPipe> _waiting = [];

    /// <summary>The place of whoever is no node: clients, the control plane.</summary>
    public int Outside => nodes;

    public NetworkWeather Weather { get; set; } = NetworkWeather.Calm;

    public bool IsBlocked(int from, int to) => _blocked[from, to];

    public void Block(int from, int to) => _blocked[from, to] = from != to;

    public void Unblock(int from, int to)
    {
        _blocked[from, to] = false;
        Flush();
    }

    public void UnblockAll()
    {
        Array.Clear(_blocked);
        Flush();
    }

    public long Delay(int from, int to)
    {
        if (from == to)
        {
            return world.Between(1, 50); // within one process
        }

        return Weather.SlowShare > 0 && world.Chance(Weather.SlowShare)
            ? world.Between(Weather.MostDelay, Weather.MostSlowDelay)
            : world.Between(Weather.LeastDelay, Weather.MostDelay);
    }

    /// <summary>Sends one message by itself: it comes once, late or never.</summary>
    public void Post(int from, int to, SimulatedProcess? receiver, Action deliver)
    {
        if (IsBlocked(from, to) || (from != to && Weather.LossShare > 0 && world.Chance(Weather.LossShare)))
        {
            return;
        }

        var delay = Delay(from, to);
        if (receiver is null)
        {
            world.After(delay, deliver);
        }
        else
        {
            receiver.After(delay, deliver);
        }
    }

    /// <summary>A pipe has something to send and no way.</summary>
    internal void WaitForWay(SimulatedPipe pipe) => _waiting.Add(pipe);

    private void Flush()
    {
        var waiting = _waiting.ToArray();
        _waiting.Clear();
        foreach (var pipe in waiting)
        {
            pipe.Flush();
        }
    }
}
