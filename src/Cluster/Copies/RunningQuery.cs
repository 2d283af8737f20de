using System.Globalization;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>A request under way at this node, as operators see it. Whoever carries it out keeps it up to date; any thread may read.</summary>
public sealed class RunningQuery : RequestProgress
{
    private readonly string _nodeId;
    private readonly string? _passedOnAs;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _end;
    private long _stepStartedAt; // written by whoever carries it out
    private volatile IReadOnlyList<Statement> _statements;
    private volatile string _database = "";
    private bool _isOver; // under the lock of this object, which nobody else takes: a lock of its own would be one more object a request

    /// <param name="nodeId">This node.</param>
    /// <param name="number">Different for each request at this node since it started.</param>
    /// <param name="passedOnAs">The id that the node gave it that passed it on; <see langword="null"/> if a client sent it here.</param>
    /// <param name="method">Of the contract.</param>
    /// <param name="statements">What it runs.</param>
    /// <param name="time">Clock.</param>
    /// <param name="end">Ends it from outside.</param>
    public RunningQuery(string nodeId, long number, string? passedOnAs, string method, IReadOnlyList<Statement> statements, TimeProvider time, Action<Exception> end)
    {
        _time = time;
        _nodeId = nodeId;
        Number = number;
        _passedOnAs = passedOnAs;
        _statements = statements;
        _end = end;
        Method = method;
        StartedAt = time.GetTimestamp();
        _stepStartedAt = StartedAt;
    }

    /// <summary>Names it for <c>KillQuery</c>, the same at each node that it passes through.</summary>
    public string Id => _passedOnAs ?? string.Create(CultureInfo.InvariantCulture, $"{_nodeId}.{Number:x}");

    /// <summary>Different for each request at this node since it started.</summary>
    public long Number { get; }

    /// <summary>Of the contract, e.g. <c>Execute</c>.</summary>
    public string Method { get; }

    /// <summary>A timestamp.</summary>
    public long StartedAt { get; }

    /// <summary>Time since it came.</summary>
    public TimeSpan Age => _time.GetElapsedTime(StartedAt);

    /// <summary>Time since the newest step of an interactive transaction came.</summary>
    public TimeSpan StepAge => _time.GetElapsedTime(Volatile.Read(ref _stepStartedAt));

    /// <summary>What it found here: <c>primary</c>, <c>replica</c>, or <c>none</c> yet. A label of metrics.</summary>
    public string Copy { get; set; } = "none";

    /// <summary>The database's name, once it was found.</summary>
    public string Database
    {
        get => _database;
        set => _database = value;
    }

    /// <summary>What it runs; of an interactive transaction, its newest step.</summary>
    public IReadOnlyList<Statement> Statements
    {
        get => _statements;
        set => _statements = value;
    }

    /// <summary>A step of an interactive transaction begins.</summary>
    public void BeginStep(IReadOnlyList<Statement> statements)
    {
        Volatile.Write(ref _stepStartedAt, _time.GetTimestamp());
        _statements = statements;
        Stage = RequestStage.Running;
    }

    /// <summary>Where it stands. Whoever lets go of it, to another node, looks at the call's token after saying so: then <see cref="Kill"/> has either ended it or is refused.</summary>
    public override RequestStage Stage
    {
        get => base.Stage;
        set
        {
            lock (this)
            {
                base.Stage = value;
            }
        }
    }

    /// <summary>Ends it from outside, unless it is over already, or what it does can be undone here no more. It may take note a moment later, and not at all if it has just ended by itself.</summary>
    /// <param name="reason">What its client is told.</param>
    /// <param name="stage">Where it stood.</param>
    /// <returns>Whether it was ended; <see langword="null"/> if it was over.</returns>
    public bool? Kill(RequestException reason, out RequestStage stage)
    {
        lock (this) // one step: nothing is passed on or committed between the look and the end
        {
            stage = Stage;
            if (_isOver)
            {
                return null;
            }

            if (stage is RequestStage.Forwarded or RequestStage.WaitingForQuorum)
            {
                return false;
            }

            _end(reason);
            return true;
        }
    }

    /// <summary>It has ended by itself: nothing can be ended from outside any more.</summary>
    public void Over()
    {
        lock (this)
        {
            _isOver = true;
        }
    }
}
