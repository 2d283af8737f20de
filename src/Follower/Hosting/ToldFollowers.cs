using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Follower;

/// <summary>The followers that a group of the journal has told of their records.</summary>
/// <remarks>
/// A few go on right there, on the journal's thread and before its next group: to wake another thread would cost a lone write several times what the step does. More
/// than that go on elsewhere, so that the next group need not wait for them.
/// </remarks>
internal sealed class ToldFollowers
{
    private const int MostHere = 2;

    private readonly NodeJournal _journal;
    private readonly List<DatabaseFollower> _followers = []; // by the journal's thread

    public ToldFollowers(NodeJournal journal)
    {
        _journal = journal;
        journal.GroupTold += GoOn;
    }

    /// <summary>A follower has something to hear.</summary>
    public void Add(DatabaseFollower follower)
    {
        if (_journal.IsTellingHere)
        {
            _followers.Add(follower);
        }
        else
        {
            GoOnElsewhere(follower); // told at once, by a call of its own
        }
    }

    private static void GoOnElsewhere(DatabaseFollower follower) => ThreadPool.UnsafeQueueUserWorkItem(follower, preferLocal: false);

    private void GoOn()
    {
        var isFew = _followers.Count <= MostHere;
        DatabaseFollower[] told = [.. _followers];
        _followers.Clear();
        foreach (var follower in told)
        {
            if (!isFew || !follower.TryGoOnHere())
            {
                GoOnElsewhere(follower);
            }
        }
    }
}
