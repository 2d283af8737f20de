using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The snapshots of one copy that are on their way to other nodes. Each keeps the WAL from being restarted; once that has grown much too long, those that take too long are ended.</summary>
/// <remarks>
/// A replica whose snapshot was ended comes again. It has twice the time then, up to an hour, so that a slow one gets its copy at last. Safe for use by any thread; bounded by the number of nodes.
/// </remarks>
/// <param name="patience">How long one may take in any case, at the first try.</param>
/// <param name="time">Clock.</param>
public sealed class RunningSnapshots(TimeSpan patience, TimeProvider time)
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly List<Running> _running = []; // under _gate
    private readonly Dictionary<string, int> _ended = []; // under _gate: how often in a row, by node

    /// <summary>One begins; the result is disposed when it is over, however that came.</summary>
    public Running Begin(string nodeId, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var running = new Running(this, nodeId, time.GetTimestamp(), CancellationTokenSource.CreateLinkedTokenSource(cancellationToken));
            _running.Add(running);
            return running;
        }
    }

    /// <summary>The WAL is much too long, and could not be restarted: those that take too long end.</summary>
    public void EndLong() => End(running => time.GetElapsedTime(running.Since) > PatienceWith(running.NodeId));

    /// <summary>The file is about to be closed: all of them end.</summary>
    public void EndAll() => End(static _ => true);

    private void End(Predicate<Running> which)
    {
        List<Running> ending;
        lock (_gate)
        {
            ending = _running.FindAll(running => !running.WasEnded && which(running));
            foreach (var running in ending)
            {
                running.WasEnded = true;
                _ended[running.NodeId] = _ended.GetValueOrDefault(running.NodeId) + 1;
            }
        }

        ending.ForEach(static running => running.Cancel());
    }

    private TimeSpan ElapsedSince(long since) => time.GetElapsedTime(since);

    private TimeSpan PatienceWith(string nodeId)
    {
        var longest = Math.Max(patience.Ticks, _longest.Ticks);
        return TimeSpan.FromTicks((long)Math.Min(longest, patience.Ticks * Math.Pow(2, _ended.GetValueOrDefault(nodeId))));
    }

    private void Over(Running running)
    {
        lock (_gate)
        {
            _running.Remove(running);
            if (running.IsComplete)
            {
                _ended.Remove(running.NodeId);
            }
        }
    }

    /// <summary>One of them.</summary>
    public sealed class Running : IDisposable
    {
        private readonly RunningSnapshots _owner;
        private readonly CancellationTokenSource _ending;
        private readonly Lock _gate = new();
        private bool _isOver; // under _gate

        internal Running(RunningSnapshots owner, string nodeId, long since, CancellationTokenSource ending) => (_owner, NodeId, Since, _ending) = (owner, nodeId, since, ending);

        internal string NodeId { get; }

        internal long Since { get; }

        /// <summary>Ends the sending.</summary>
        public CancellationToken Token => _ending.Token;

        /// <summary>It was ended because it took too long.</summary>
        public bool WasEnded { get; internal set; } // under the owner's lock, and then only read

        /// <summary>All of it was sent.</summary>
        public bool IsComplete { get; set; }

        /// <summary>What the replica is told then.</summary>
        public RequestException Reason => new(
            ErrorCodes.Overloaded,
            $"The snapshot was not taken within {_owner.ElapsedSince(Since).TotalSeconds:F0} s, and what is written meanwhile is more than this node can keep beside it. It was ended; subscribe again, there will be more time.");

        internal void Cancel()
        {
            lock (_gate)
            {
                if (!_isOver)
                {
                    _ = _ending.CancelAsync(); // what goes on then does so elsewhere, not in the writer's turn
                }
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _owner.Over(this);
            lock (_gate)
            {
                _isOver = true;
                _ending.Dispose();
            }
        }
    }
}
