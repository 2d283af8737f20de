using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>How leaderships come to this node and go from it: takeovers, planned moves, the end of a database.</summary>
/// <remarks>Safe for use by any thread. The catalogue's compare-and-swap decides between several who want the same epoch.</remarks>
internal sealed class Leaderships(NodeContext node, PrimaryContext primaries, LocalCopies copies)
{
    private const int MostAsked = 5; // before a database is left to the next request

    private static readonly CallOptions _patienceWithQuestion = new() { Timeout = TimeSpan.FromSeconds(1) };
    private static readonly CallOptions _patienceWithTakeover = new() { Timeout = TimeSpan.FromSeconds(15) };

    private readonly ConcurrentDictionary<DatabaseId, uint> _taking = new(); // this node is about to take the epoch after this one
    private volatile bool _leaves;

    /// <summary>Refuses to begin a leadership that is another node's by now. A takeover goes on from the epoch that was found lost, and from no other.</summary>
    /// <exception cref="RpcException"><see cref="Forwarding.Moved"/>: whoever asked looks again.</exception>
    public void CheckMayLead(DatabaseId database)
    {
        if (node.Control.Find(database) is { } record && record.PrimaryNode != node.Self.Id
            && !(_taking.TryGetValue(database, out var seen) && (record.Epoch == seen || !IsAlive(record.PrimaryNode))))
        {
            throw Forwarding.Moved(database);
        }
    }

    /// <summary>Why this node cannot lead anything now; <see langword="null"/> if it can.</summary>
    public string? Inability => node.Follower.Trouble
        ?? (node.Self.MayLead ? null : $"the roles of node {node.Self.Id} are {node.Self.Roles}, without {NodeRoles.Primary}.");

    /// <summary>Takes the epoch after the one that was seen, and leads. A follower that cannot lead asks one that can.</summary>
    /// <returns><see langword="false"/>: somebody else was quicker, or has to do it.</returns>
    public async Task<bool> TakeOrPassOnAsync(DatabaseId database, uint seen, CancellationToken cancellationToken)
    {
        if (Inability is not null)
        {
            _ = await PassOnAsync(database, onlyWithCopy: true, cancellationToken) || await PassOnAsync(database, onlyWithCopy: false, cancellationToken);
            return false;
        }

        // A follower that never had a copy must fetch one once the log's beginning is gone: one that has it is asked to lead instead, if there is one.
        return CanBegin(database) || !await PassOnAsync(database, onlyWithCopy: true, cancellationToken) ? await TakeAsync(database, seen, cancellationToken) : false;
    }

    /// <summary>Asks whoever else may lead the database to do so: followers, for they have the log.</summary>
    /// <param name="database">Which.</param>
    /// <param name="onlyWithCopy">Whoever would have to fetch a copy first refuses.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <returns>Whether one does now.</returns>
    public async Task<bool> PassOnAsync(DatabaseId database, bool onlyWithCopy, CancellationToken cancellationToken)
    {
        if (node.Control.Find(database) is not { } record)
        {
            return false;
        }

        var able = node.Control.Nodes.Where(other => other.Id != node.Self.Id && other.MayLead).ToList();
        var followers = able.Where(other => record.Followers.Any(place => place.Journal == other.JournalId)).ToList();
        foreach (var other in (followers.Count > 0 ? followers : able) // somebody without the log only where no follower has the role
            .Where(other => !node.Reach.IsLeaving(other.Id) && !node.Reach.IsSilent(other.Id))
            .OrderBy(other => node.Reach.RoundTripTo(other.Id) ?? TimeSpan.MaxValue)
            .Take(MostAsked))
        {
            try
            {
                await HandToAsync(database, record.Epoch, other, onlyWithCopy, cancellationToken);
                return true;
            }
            catch (RpcException failure)
            {
                NodeLog.TakeoverFailed(node.Logger, database, $"{other.Id}: {failure.Detail}");
            }
        }

        return false;
    }

    /// <summary>A planned move to a region: this node, which leads now, drains, resigns, and lets a node there take the next epoch. The region becomes the database's own.</summary>
    /// <exception cref="RequestException">It did not come to that; the text says what is so now.</exception>
    public async Task MoveAsync(DatabaseRecord database, string region, CancellationToken cancellationToken)
    {
        var target = node.Control.Nodes
            .Where(other => other.Region == region && other.MayLead)
            .OrderBy(other => node.Reach.IsSilent(other.Id) || node.Reach.IsLeaving(other.Id))
            .ThenByDescending(other => database.Followers.Any(place => place.NodeId == other.Id))
            .FirstOrDefault() ?? throw new RequestException(
                ErrorCodes.InvalidRequest, $"There is no node in region '{region}' that may lead databases. Nothing was done.");
        await MoveAsync(database, [target], cancellationToken);
        await node.Control.UpdateAsync(database.Id, record => record with { PrimaryRegion = region }, cancellationToken);
    }

    /// <summary>The same to the first of some nodes that can; where the database should be led stays as it is.</summary>
    /// <exception cref="RequestException">It did not come to that; the text says what is so now.</exception>
    public async Task MoveAsync(DatabaseRecord database, IReadOnlyList<NodeRecord> targets, CancellationToken cancellationToken)
    {
        if (targets[0].Id == node.Self.Id)
        {
            return;
        }

        using var lease = await copies.Primaries.UseAsync(database.Id, cancellationToken);
        using var turn = await copies.EnterAsync(database.Id, cancellationToken); // no request begins another leadership here in between
        var epoch = await ((PrimaryGrain)lease.Grain).ResignAsync(cancellationToken);
        for (var i = 0; ; i++)
        {
            try
            {
                await HandToAsync(database.Id, epoch, targets[i], onlyWithCopy: i + 1 < targets.Count, cancellationToken);
                return;
            }
            catch (RpcException) when (i + 1 < targets.Count)
            {
                // The next one may: the epoch decides between the two.
            }
            catch (RpcException failure)
            {
                throw PrimaryForwarder.Translate(failure, readsOnly: true) ?? new RequestException(
                    ErrorCodes.NoPrimary, $"Node {targets[i].Id} could not take '{database.Name}' over ({failure.Detail}). The next request finds who leads it.");
            }
        }
    }

    /// <summary>The node is about to go: it leads nothing that it does not lead now.</summary>
    public void Leave() => _leaves = true;

    /// <summary>Whether it is about to go.</summary>
    public bool IsLeaving => _leaves;

    /// <summary>Another node has resigned in favour of this one.</summary>
    public async ValueTask<TakeOverResponse> TakeOverAsync(TakeOverRequest request, ServerCallContext call)
    {
        var database = new DatabaseId(Guid.Parse(request.DatabaseId));
        if (request.OnlyWithCopy && !CanBegin(database))
        {
            throw new RequestException(ErrorCodes.NoPrimary, $"Node {node.Self.Id} has no copy of {database} from which its log reaches on. Nothing was done; another node may have one.");
        }

        return await TakeAsync(database, request.Epoch, call.CancellationToken)
            ? new TakeOverResponse()
            : throw new RequestException(ErrorCodes.NoPrimary, WhyNotTaken(database, request.Epoch));
    }

    /// <summary>Asks the nodes of a database's followers to look whether its leader is lost, and to take over then. Nobody waits for what comes of it.</summary>
    public async Task AskToTakeOverAsync(DatabaseRecord database)
    {
        var request = new TakeOverRequest { DatabaseId = database.Id.ToString(), Epoch = database.Epoch, OnlyIfLost = true };
        await Task.WhenAll(node.Control.Nodes
            .Where(other => other.Id != node.Self.Id && database.Followers.Any(place => place.Journal == other.JournalId))
            .Select(async other =>
            {
                try
                {
                    await node.Channels.ForQueries(other).CallAsync(ReplicationMethods.TakeOver, request, _patienceWithQuestion, node.Stopping);
                }
                catch (Exception e) when (e is RpcException or OperationCanceledException)
                {
                    // Another may have heard it, and whoever waits asks again.
                }
            }));
    }

    /// <summary>Ends a leadership of this node, once everything is confirmed, and begins the next one, which looks who should follow.</summary>
    /// <exception cref="RequestException">What was written could not be confirmed, or nothing can be led here now.</exception>
    public async Task LeadAnewAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        var before = node.Control.Find(database)?.Epoch;
        using (var lease = await copies.Primaries.UseAsync(database, cancellationToken))
        {
            if (node.Control.Find(database)?.Epoch != before)
            {
                return; // it was idle, and has begun just now
            }

            using var turn = await copies.EnterAsync(database, cancellationToken);
            await ((PrimaryGrain)lease.Grain).ResignAsync(cancellationToken);
        }

        await copies.Primaries.DeactivateAsync(database, abort: true);
        using var next = await copies.Primaries.UseAsync(database, cancellationToken);
    }

    /// <summary>Ends a database's log for ever.</summary>
    /// <exception cref="RequestException">It could not be ended now, and why.</exception>
    public async Task BuryAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        using var turn = await copies.EnterAsync(database, cancellationToken);
        await copies.Primaries.DeactivateAsync(database, abort: true);
        try
        {
            await Burial.RunAsync(primaries, database, cancellationToken);
        }
        catch (JournalException unusable)
        {
            throw new RequestException(
                ErrorCodes.NoPrimary,
                $"{database} is not deleted yet: node {node.Self.Id}, which leads it, cannot use its journal ({unusable.Message}). Stop that node, so that another one leads, or repair it; then delete the database again.");
        }
    }

    /// <summary>Another node leads: what is left of this one's leadership ends at once, whatever it believes.</summary>
    public async Task StepDownAsync(DatabaseRecord database)
    {
        try
        {
            if (node.Control.Find(database.Id)?.PrimaryNode == node.Self.Id)
            {
                return; // it leads again by now
            }

            await copies.Primaries.DeactivateAsync(database.Id, abort: true);
        }
        catch (Exception e) when (e is IOException or JournalException or RequestException or ObjectDisposedException)
        {
            NodeLog.StepDownFailed(node.Logger, database.Id, e);
        }

        if (copies.HasNoReplicaOf(database))
        {
            await copies.EndReplicaAsync(database.Id);
        }
    }

    private string WhyNotTaken(DatabaseId database, uint seen) =>
        _leaves || node.Stopping.IsCancellationRequested ? $"Node {node.Self.Id} is about to stop. Nothing was done; another node may lead {database}."
        : Inability is { } trouble ? $"Node {node.Self.Id} cannot lead {database}: {trouble} Nothing was done; another node may."
        : node.Control.Find(database) is not { } record ? $"The database {database} does not exist any more."
        : record.Epoch != seen ? $"Epoch {record.Epoch} of {database} has begun on node {record.PrimaryNode}; what was to be taken over is epoch {seen}. Nothing was done; look again who leads."
        : $"Node {node.Self.Id} is taking {database} over already. Nothing more was done; try again.";

    // Whoever lost a leader, or was handed a leadership, comes here.
    private async Task<bool> TakeAsync(DatabaseId database, uint seen, CancellationToken cancellationToken)
    {
        if (_leaves || node.Stopping.IsCancellationRequested || Inability is not null || node.Control.Find(database) is not { } record
            || (record.Epoch != seen && IsAlive(record.PrimaryNode)) || !_taking.TryAdd(database, seen))
        {
            return false;
        }

        try
        {
            using var lease = await copies.Primaries.UseAsync(database, cancellationToken);
            return true;
        }
        finally
        {
            _taking.TryRemove(database, out _);
        }
    }

    private bool CanBegin(DatabaseId database)
    {
        try
        {
            return PrimaryGrain.CanBegin(primaries, database);
        }
        catch (JournalException)
        {
            return true; // who begins is told what is wrong
        }
    }

    private bool IsAlive(string nodeId) => node.Control.Nodes.Any(other => other.Id == nodeId);

    private Task<TakeOverResponse> HandToAsync(DatabaseId database, uint epoch, NodeRecord target, bool onlyWithCopy, CancellationToken cancellationToken) => node.Channels.ForQueries(target).CallAsync(
        ReplicationMethods.TakeOver, new TakeOverRequest { DatabaseId = database.ToString(), Epoch = epoch, OnlyWithCopy = onlyWithCopy }, _patienceWithTakeover, cancellationToken);
}
