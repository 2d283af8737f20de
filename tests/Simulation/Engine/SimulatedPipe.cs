using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Simulation;

/// <summary>One direction of a stream. First in, first out; a cut network delays what is sent until it is whole again or the stream is broken.</summary>
internal sealed class SimulatedPipe(World world, SimulatedNetwork network, int from, int to, SimulatedProcess receiver, Action<object> deliver)
{
    private readonly Queue<object> _unsent = new(); // while the way is cut
    private long _lastArrival;
    private int _onTheirWay;
    private bool _isBroken;
    private bool _lettingLateOnesIn;

    public void Send(object message)
    {
        if (_isBroken)
        {
            return;
        }

        if (_unsent.Count > 0 || network.IsBlocked(from, to))
        {
            if (_unsent.Count == 0)
            {
                network.WaitForWay(this);
            }

            _unsent.Enqueue(message);
            return;
        }

        Launch(message);
        if (network.Weather.RepeatShare > 0 && from != to && message is (LeaderMessage or FollowerMessage) && world.Chance(network.Weather.RepeatShare))
        {
            world.After(world.Between(1_000, 300_000), () => Repeat(message));
        }
    }

    /// <summary>The way is free again.</summary>
    public void Flush()
    {
        while (_unsent.TryPeek(out var message))
        {
            if (network.IsBlocked(from, to))
            {
                network.WaitForWay(this);
                return;
            }

            _unsent.Dequeue();
            if (!_isBroken)
            {
                Launch(message);
            }
        }
    }

    /// <summary>The sender is done with it. What is on its way is lost, or comes late: the receiver may not know yet that it ended.</summary>
    public void Break()
    {
        _isBroken = true;
        _unsent.Clear();
        _lettingLateOnesIn = _onTheirWay > 0 && world.Chance(network.Weather.LateShare);
    }

    private void Repeat(object message)
    {
        if (!_isBroken && !network.IsBlocked(from, to))
        {
            Launch(message);
        }
    }

    private void Launch(object message)
    {
        _lastArrival = Math.Max(_lastArrival, world.Now + network.Delay(from, to));
        _onTheirWay++;
        world.At(_lastArrival, () => Arrive(message));
    }

    private void Arrive(object message)
    {
        _onTheirWay--;
        if (!_isBroken)
        {
            receiver.Run(() => deliver(message));
        }
        else if (_lettingLateOnesIn)
        {
            // Order among the late ones is kept: they all take the same way.
            world.After(network.Weather.MostSlowDelay, () => receiver.Run(() => deliver(message)));
        }
    }
}
