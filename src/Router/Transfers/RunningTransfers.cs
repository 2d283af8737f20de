using System.Globalization;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>The exports and imports that this node carries out: so many at once and no more, for each may hold a worker and the room of a database. Safe for use by any thread.</summary>
/// <param name="nodeId">This node.</param>
/// <param name="time">Clock.</param>
internal sealed class RunningTransfers(string nodeId, TimeProvider time)
{
    private const int MaxAtOnce = 8;

    private readonly Lock _gate = new();
    private readonly List<RunningTransfer> _running = []; // under _gate, as is the next
    private long _lastNumber;

    /// <summary>Those under way now, the oldest first.</summary>
    public IReadOnlyList<RunningTransfer> Snapshot()
    {
        lock (_gate)
        {
            return [.. _running];
        }
    }

    /// <summary>Takes one of the places; its disposal gives it back.</summary>
    /// <param name="method">Of the contract: <c>Export</c> or <c>Import</c>.</param>
    /// <param name="database">Its name.</param>
    /// <exception cref="RequestException">OVERLOADED: all are taken.</exception>
    public RunningTransfer Begin(string method, string database)
    {
        lock (_gate)
        {
            if (_running.Count == MaxAtOnce)
            {
                throw new RequestException(ErrorCodes.Overloaded, $"{MaxAtOnce} exports and imports are under way on this node. Nothing was done; try again later.");
            }

            var transfer = new RunningTransfer(this, string.Create(CultureInfo.InvariantCulture, $"{nodeId}.t{++_lastNumber:x}"), method, database, time.GetTimestamp());
            _running.Add(transfer);
            return transfer;
        }
    }

    private TimeSpan AgeOf(RunningTransfer transfer) => time.GetElapsedTime(transfer.StartedAt);

    private void End(RunningTransfer transfer)
    {
        lock (_gate)
        {
            _running.Remove(transfer);
        }
    }

    /// <summary>One of them.</summary>
    internal sealed class RunningTransfer(RunningTransfers owner, string id, string method, string database, long startedAt) : IDisposable
    {
        /// <summary>Names it in the list of requests.</summary>
        public string Id => id;

        public string Method => method;

        public string Database => database;

        public long StartedAt => startedAt;

        /// <summary>Time since it began, its upload not counted.</summary>
        public TimeSpan Age => owner.AgeOf(this);

        public void Dispose() => owner.End(this);
    }
}
