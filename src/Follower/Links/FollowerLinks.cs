using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using Promise = ReplicatedSqlite.Cluster.Promise;

namespace ReplicatedSqlite.Follower;

/// <summary>Finds followers by their journals: this node's own, or by the node that announced the journal.</summary>
/// <param name="local">This node's.</param>
/// <param name="find">The channel to the node with a journal, if one is alive; asked at each attempt.</param>
/// <param name="self">This node's id.</param>
/// <param name="time">For pauses.</param>
public sealed class FollowerLinks(FollowerNode local, Func<Guid, GrpcChannel?> find, string self, TimeProvider time) : IFollowerLinks
{
    private static readonly CallOptions _probe = new() { Timeout = TimeSpan.FromSeconds(1) };

    /// <summary>Finds nodes by the control plane's list.</summary>
    public FollowerLinks(FollowerNode local, IControlPlane control, NodeChannels channels, string self, TimeProvider time)
        : this(local, journal => control.Nodes.FirstOrDefault(node => node.JournalId == journal) is { } node ? channels.ForShipping(node) : null, self, time)
    {
    }

    /// <inheritdoc/>
    public IFollowerLink Open(DatabaseId database, Guid journal, Promise promise, IFollowerObserver observer)
    {
        FollowerLink link = journal == local.JournalId
            ? new LocalFollowerLink(journal, database, promise, observer, time, local)
            : new GrpcFollowerLink(journal, database, promise, observer, time, find, self);
        link.Start();
        return link;
    }

    /// <inheritdoc/>
    public async Task<ProbeAnswer?> ProbeAsync(DatabaseId database, Guid journal, ulong activation, CancellationToken cancellationToken)
    {
        if (journal == local.JournalId)
        {
            return local.Probe(database, journal, activation);
        }

        if (find(journal) is not { } channel)
        {
            return null;
        }

        try
        {
            var request = new ProbeRequest { DatabaseId = database.ToString(), JournalId = FollowerWire.EncodeJournal(journal), Activation = activation };
            var answer = await channel.CallAsync(FollowerMethods.Probe, request, _probe, cancellationToken);
            return answer.IsMember ? new(answer.HasLost, FollowerWire.Decode(answer.Promised), answer.Last.ToPosition()) : null;
        }
        catch (Exception e) when (e is RpcException or FormatException)
        {
            return null;
        }
    }
}
