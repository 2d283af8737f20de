namespace ReplicatedSqlite.Simulation;

/// <summary>One call of a client: it gets one answer, the node's or its own.</summary>
internal sealed class ClientCall<TAnswer>(Cluster cluster, Action<TAnswer> answered)
{
    private bool _isOver;

    public void Send(SimulatedNode node, Action<Action<TAnswer>> call)
    {
        var network = cluster.Network;
        network.Post(network.Outside, node.Index, node.Process, () => call(answer => network.Post(node.Index, network.Outside, null, () => End(answer))));
    }

    public void GiveUp(long after, TAnswer instead) => cluster.World.After(after, () => End(instead));

    private void End(TAnswer answer)
    {
        if (!_isOver)
        {
            _isOver = true;
            answered(answer);
        }
    }
}
