namespace ReplicatedSqlite.Journal;

/// <summary>What waits to be written, in order. Callers wait for room behind its bounds. Under the journal's lock.</summary>
internal sealed class JournalQueue(JournalOptions options)
{
    private readonly Queue<JournalItem> _items = [];
    private long _bytes;
    private TaskCompletionSource? _room;

    public bool IsEmpty => _items.Count == 0;

    public IEnumerable<JournalItem> Waiting => _items;

    private bool IsOver => _items.Count > options.QueueEntries || _bytes > options.QueueBytes;

    /// <summary>Takes an item in; its order is decided now.</summary>
    /// <returns>Completes when there is room for the next one. So each caller that waits is over the bound by one item at most.</returns>
    public Task Add(JournalItem item)
    {
        _items.Enqueue(item);
        _bytes += item.RecordBytes;
        return IsOver ? (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
    }

    /// <summary>Takes out what goes into one group.</summary>
    public List<JournalItem> TakeGroup()
    {
        var group = new List<JournalItem>();
        long bytes = 0;
        while (_items.TryPeek(out var item) && group.Count < options.GroupRecords && (group.Count == 0 || bytes + item.RecordBytes <= options.GroupBytes))
        {
            bytes += item.RecordBytes;
            group.Add(_items.Dequeue());
        }

        Shrink(bytes);
        return group;
    }

    public List<JournalItem> TakeAll()
    {
        List<JournalItem> all = [.. _items];
        _items.Clear();
        Shrink(_bytes);
        return all;
    }

    private void Shrink(long bytes)
    {
        _bytes -= bytes;
        if (!IsOver && _room is { } room)
        {
            _room = null;
            room.SetResult();
        }
    }
}
