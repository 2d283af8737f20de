using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>What the journal was told, in order, and how much of it was acknowledged. After a crash it must hold what some prefix of the calls gives, all that was acknowledged within it.</summary>
internal sealed class JournalModel
{
    private readonly Dictionary<DatabaseId, DatabaseState> _settled = [];
    private readonly List<(DatabaseId Database, DatabaseState After)> _calls = [];
    private readonly Dictionary<DatabaseId, DatabaseState> _latest = [];
    private int _acknowledged;

    public int Acknowledged => _acknowledged;

    public int Calls => _calls.Count;

    public DatabaseState LatestOf(DatabaseId database) => _latest.GetValueOrDefault(database) ?? DatabaseState.Unknown;

    /// <summary>Notes a call; its number goes to <see cref="Acknowledge"/>.</summary>
    public int Call(DatabaseId database, DatabaseState after)
    {
        _calls.Add((database, after));
        _latest[database] = after;
        return _calls.Count;
    }

    /// <summary>Acknowledgements come in the order of the calls.</summary>
    public void Acknowledge(int call)
    {
        Assert.Equal(_acknowledged + 1, call);
        _acknowledged = call;
    }

    /// <summary>All that waited was given back: it never came.</summary>
    public void ForgetUnacknowledged() => Settle(_acknowledged);

    /// <summary>Finds how much of the calls the journal holds, which is settled from now on.</summary>
    public void CheckAndSettle(NodeJournal journal)
    {
        var found = _latest.Keys.ToDictionary(database => database, database => DatabaseState.Describe(journal, database));
        // The longest first: a removal of a database that was never known shows nowhere, yet shuts its log.
        for (var count = _calls.Count; count >= _acknowledged; count--)
        {
            if (StatesAfter(count).All(pair => pair.Value.Describe() == found[pair.Key]))
            {
                Settle(count);
                return;
            }
        }

        Assert.Fail(
            $"The journal holds no prefix of the {_calls.Count} calls that includes the {_acknowledged} acknowledged ones.\n" +
            string.Join('\n', found.Select(pair => $"{pair.Key}\n  found  {pair.Value}\n  acked  {StatesAfter(_acknowledged)[pair.Key].Describe()}\n  called {LatestOf(pair.Key).Describe()}")));
    }

    private Dictionary<DatabaseId, DatabaseState> StatesAfter(int count)
    {
        var states = _latest.Keys.ToDictionary(database => database, database => _settled.GetValueOrDefault(database) ?? DatabaseState.Unknown);
        foreach (var (database, after) in _calls.Take(count))
        {
            states[database] = after;
        }

        return states;
    }

    private void Settle(int count)
    {
        foreach (var (database, state) in StatesAfter(count))
        {
            _settled[database] = _latest[database] = state;
        }

        _calls.Clear();
        _acknowledged = 0;
    }
}
