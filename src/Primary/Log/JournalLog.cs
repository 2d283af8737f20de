using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The node's own journal as the whole quorum: one follower, and it confirms.</summary>
internal sealed class JournalLog(NodeJournal journal) : IDurableLog
{
    public void Append(Entry entry, Action<Position, Exception?> onDurable)
    {
        try
        {
            // The queue's room is not awaited: what one database may have outstanding is bounded by its log, far below the queue.
            _ = journal.EnqueueAsync(entry, onDurable);
        }
        catch (Exception refused) when (refused is JournalException or ObjectDisposedException)
        {
            onDurable(entry.End, refused);
        }
    }

    public IReadOnlyList<Entry> Read(DatabaseId database, Position after, int maxBytes)
    {
        try
        {
            return journal.ReadFrom(database, after, maxBytes);
        }
        catch (Exception e) when (e is JournalTrimmedException or JournalMismatchException)
        {
            return [];
        }
    }
}
