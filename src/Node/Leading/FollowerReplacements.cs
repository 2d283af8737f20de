using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Gives the places of lost followers to other nodes, of the databases that this node leads: one place at a time, by a leadership that begins anew and changes the set.</summary>
/// <remarks>
/// Databases that nobody uses are among them: they would lose the next follower without having got another for the last. One database after the other, so that a node that is gone
/// makes no storm. Where a quorum is not there nothing is done: the change would need it.
/// </remarks>
internal sealed class FollowerReplacements : IAsyncDisposable
{
    private const int PageSize = 1000;

    private static readonly TimeSpan _longestPause = TimeSpan.FromMinutes(10);

    private readonly Dictionary<DatabaseId, (long TriedAt, TimeSpan Pause)> _failed = []; // by the loop
    private readonly NodeContext _node;
    private readonly LocalCopies _copies;
    private readonly LostFollowers _lost;
    private readonly TimeSpan _every;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private int _kept; // databases whose lost followers cannot be replaced, in this look; by the loop, as are the next two
    private DatabaseId _firstKept;
    private bool _keptTold;

    /// <param name="node">This node.</param>
    /// <param name="copies">Its leaderships.</param>
    /// <param name="lost">Who is to be replaced.</param>
    /// <param name="replaceAfter">How long a node may be away.</param>
    public FollowerReplacements(NodeContext node, LocalCopies copies, LostFollowers lost, TimeSpan replaceAfter)
    {
        (_node, _copies, _lost) = (node, copies, lost);
        _every = TimeSpan.FromTicks(Math.Clamp(replaceAfter.Ticks / 10, TimeSpan.TicksPerSecond / 10, TimeSpan.TicksPerSecond * 10));
        _running = RunAsync();
    }

    /// <summary>Begins with nothing more.</summary>
    public void BeginStop() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        BeginStop();
        await _running;
    }

    private async Task RunAsync()
    {
        using var ticks = new PeriodicTimer(_every, _node.Time);
        try
        {
            while (await ticks.WaitForNextTickAsync(_stopping.Token))
            {
                _lost.Look();
                _kept = 0;
                for (string? after = ""; after is not null;)
                {
                    var page = _node.Control.List("", after, PageSize);
                    foreach (var database in page.Where(record => record.PrimaryNode == _node.Self.Id))
                    {
                        await LookAtAsync(database);
                    }

                    after = page.Count == PageSize ? page[^1].Name : null;
                }

                TellKept();
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // The node stops, whatever that broke off.
        }
    }

    private async Task LookAtAsync(DatabaseRecord database)
    {
        if (FollowerPlacement.FirstLost(database, _lost) is not { } lost)
        {
            _failed.Remove(database.Id);
            return;
        }

        if (_failed.TryGetValue(database.Id, out var failure) && _node.Time.GetElapsedTime(failure.TriedAt) < failure.Pause)
        {
            return;
        }

        if (FollowerPlacement.Change(_node.Control.Nodes, _node.Self.Id, database, other => _node.Reach.RoundTripTo(other.Id), _lost) is not { } next
            || !HasQuorum(database.FollowerSet!) || !HasQuorum(next))
        {
            _firstKept = _kept++ == 0 ? database.Id : _firstKept;
            return;
        }

        try
        {
            NodeLog.ReplacingFollower(_node.Logger, database.Id, lost.Place.Journal, lost.Place.NodeId, lost.Reason);
            await _copies.Leaderships.LeadAnewAsync(database.Id, _stopping.Token);
            _failed.Remove(database.Id);
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            // Whatever it was: it must not end the replacements of the other databases.
            var pause = failure.Pause == default ? _every * 2 : failure.Pause * 2;
            _failed[database.Id] = (_node.Time.GetTimestamp(), pause < _longestPause ? pause : _longestPause);
            NodeLog.FollowerNotReplaced(_node.Logger, database.Id, e.Message, _failed[database.Id].Pause);
        }
    }

    // Once for all of them: a node that is gone follows many databases.
    private void TellKept()
    {
        if (_kept > 0 && !_keptTold)
        {
            NodeLog.LostFollowersKept(_node.Logger, _kept, _firstKept);
        }

        _keptTold = _kept > 0;
    }

    // So many of a set seem to be there that it can decide something now.
    private bool HasQuorum(FollowerSet set) => set.Members.Count(journal =>
        _lost.MayFollow(journal) && _node.Control.Nodes.FirstOrDefault(node => node.JournalId == journal) is { } node && !_node.Reach.IsSilent(node.Id)) >= set.Quorum;
}
