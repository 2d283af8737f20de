using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

// The journal: opened, checked against what the node's folder remembers, and opened again after it failed.
public sealed partial class FollowerNode
{
    private const int MostToldDamage = 1000;

    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    private readonly HashSet<(string File, long Offset)> _damaged = []; // under _gate: what was told of the journal that is open

    /// <summary>The journal stopped. Told by whoever meets it first; for a journal that is not in use any more it does nothing.</summary>
    internal void JournalHasFailed(NodeJournal journal, Exception fault)
    {
        lock (_gate)
        {
            if (_journal != journal || _stopping.IsCancellationRequested)
            {
                return;
            }

            (_journal, _reason) = (null, $"its journal failed ({fault.Message}) and is being opened again.");
            _reopening = Task.Run(() => ReopenAsync(journal));
        }

        FollowerLog.JournalFailed(Logger, fault);
    }

    private void OpenJournal()
    {
        var journal = NodeJournal.Open(_options.Folder, _options.Journal, _options.Disk, _random);
        var known = JournalId == journal.Id ? null : _options.Known;
        if (known is not null && known.Id != journal.Id)
        {
            FollowerLog.OtherJournal(Logger, journal.Id, known.Id);
        }
        else if (known is not null && known.LastGroup > journal.LastGroup)
        {
            var found = journal.LastGroup;
            journal.DisposeAsync().AsTask().GetAwaiter().GetResult(); // at the start, where nobody waits for anything else
            GiveUp($"its journal {known.Id} ends with group {found}, but it once had group {known.LastGroup}: it was brought back from an older copy, and what was confirmed since is not in it.");
            return;
        }

        _options.Remember(new(journal.Id, journal.LastGroup));
        journal.DamageMet += TellDamage;
        lock (_gate)
        {
            _damaged.Clear();
            _journal = journal;
            _told = new ToldFollowers(journal);
            _startedAt = Now;
            JournalId = journal.Id;
        }
    }

    // Whoever wanted the record gets an error, and takes it from elsewhere. The operator has to know as long as there is an elsewhere; once is enough, for readers try again.
    private void TellDamage(DatabaseId database, JournalDamagedException damage)
    {
        lock (_gate)
        {
            if (_damaged.Count == MostToldDamage || !_damaged.Add((damage.File, damage.OffsetBytes)))
            {
                return;
            }
        }

        FollowerLog.DamageMet(Logger, database, damage.Message, _options.Folder);
    }

    private void GiveUp(string reason)
    {
        lock (_gate)
        {
            (_journal, _reason, JournalId) = (null, reason, Guid.Empty);
        }

        FollowerLog.NoMember(Logger, reason, _options.Folder);
    }

    private async Task ReopenAsync(NodeJournal failed)
    {
        DropAll(failed, "The journal failed.");
        await failed.DisposeAsync();
        var pause = _options.ReopenPause;
        for (var attempt = 1; attempt <= _options.MaxReopens; attempt++)
        {
            try
            {
                await Task.Delay(pause, Time, _stopping.Token);
                OpenJournal();
                FollowerLog.Reopened(Logger);
                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is JournalDamagedException or JournalVersionException)
            {
                GiveUp(e.Message);
                return;
            }
            catch (JournalException e)
            {
                pause = pause * 2 < _longestPause ? pause * 2 : _longestPause;
                FollowerLog.ReopenFailed(Logger, attempt, pause, e);
            }
        }

        GiveUp($"its journal failed, and {_options.MaxReopens} tries to open it again failed too.");
    }

    private void DropAll(NodeJournal? journal, string reason)
    {
        List<DatabaseFollower> dropped;
        lock (_gate)
        {
            dropped = [.. _followers.Values.Where(follower => follower.Journal == journal)];
            _followers.Clear();
        }

        dropped.ForEach(follower => follower.Drop(reason));
    }
}
