using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A process's open journal: records are written at once and synced in groups, each with one sync; then they are in the view, and the process is told.</summary>
internal sealed class SimulatedJournal
{
    private readonly World _world;
    private readonly SimulatedDisk _disk;
    private readonly SimulatedProcess _process;
    private readonly Plant _plant;
    private readonly Action<long> _written;
    private readonly Action _failed;
    private readonly Queue<JournalRecord> _unseen = new(); // written, not in the view yet
    private bool _syncing;
    private bool _closed;

    public SimulatedJournal(World world, SimulatedDisk disk, SimulatedProcess process, Plant plant, Action<long> written, Action failed)
    {
        (_world, _disk, _process, _plant, _written, _failed) = (world, disk, process, plant, written, failed);
        if (plant.SyncsWhatItReadBack)
        {
            disk.Sync(disk.Cached.Count);
        }

        View = disk.Synced.Copy();
        disk.Cached.ForEach(View.Apply);
    }

    /// <summary>What the process takes for durable.</summary>
    public LogState View { get; }

    public void Write(Entry entry, long ticket) => Write(new JournalRecord(JournalRecordKind.Entry, _disk.NextNumber++, ticket, entry));

    public void Write(JournalRecordKind kind, Position position, long ticket) => Write(new JournalRecord(kind, _disk.NextNumber++, ticket, Position: position));

    public void Write(FollowerNote note, long ticket) => Write(new JournalRecord(JournalRecordKind.Note, _disk.NextNumber++, ticket, Note: note));

    public void Close() => _closed = true;

    private void Write(JournalRecord record)
    {
        if (_closed)
        {
            return;
        }

        _unseen.Enqueue(record);
        if (_plant.Loses(record))
        {
            record = record with { Kind = JournalRecordKind.Nothing };
        }

        _disk.Cached.Add(record);
        if (_plant.TellsBeforeSync(record))
        {
            _process.After(1, () => Tell(record));
        }

        if (!_syncing)
        {
            BeginSync();
        }
    }

    private void BeginSync()
    {
        _syncing = true;
        var (count, generation) = (_disk.Cached.Count, _disk.Generation);
        _world.After(_disk.ChooseSyncTime(), () => EndSync(count, generation));
    }

    // The sync ends whether the process runs or is paused; it is told when it runs.
    private void EndSync(int count, int generation)
    {
        if (generation != _disk.Generation)
        {
            return;
        }

        if (_disk.FailsNextSync)
        {
            _disk.FailsNextSync = false;
            _disk.Tear();
            Close();
            _process.Run(_failed);
            return;
        }

        var last = _disk.Cached[count - 1];
        _disk.Sync(count);
        _process.Run(() => Tell(last));
        if (_disk.Cached.Count > 0)
        {
            BeginSync();
        }
        else
        {
            _syncing = false;
        }
    }

    private void Tell(JournalRecord last)
    {
        if (_closed)
        {
            return;
        }

        while (_unseen.TryPeek(out var next) && next.Number <= last.Number)
        {
            View.Apply(_unseen.Dequeue());
        }

        _written(last.Ticket);
    }
}
