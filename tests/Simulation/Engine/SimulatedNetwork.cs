namespace ReplicatedSqlite.Simulation;

/// <summary>Who reaches whom, and how long it takes. Calls may be lost and overtake each other; streams keep their order.</summary>
internal sealed class SimulatedNetwork(World world, int nodes)
{
    private readonly bool[,] _blocked = new bool[nodes + 1, nodes + 1]; // one way; the last place is the clients'
    private readonly long[,] _slow = new long[nodes + 1, nodes + 1];
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

    /// <summary>Makes some ways between nodes slow, each in one direction.</summary>
    public void SlowDown(double share)
    {
        for (var from = 0; from < nodes; from++)
        {
            for (var to = 0; to < nodes; to++)
            {
                _slow[from, to] = share > 0 && world.Chance(share) ? world.Between(50_000, 400_000) : 0;
            }
        }
    }

    public long Delay(int from, int to)
    {
        if (from == to)
        {
            return world.Between(1, 50); // within one process
        }

        if (_slow[from, to] is > 0 and var slow)
        {
            return world.Between(slow / 2, slow);
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
