using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Where entries become durable: the seam at which followers plug in. Today the node's own journal, which alone is the quorum.</summary>
internal interface IDurableLog
{
    /// <summary>Takes an entry, in the log's order. The callback comes once it is on disk, or with the reason why it never will be; keep it short.</summary>
    void Append(Entry entry, Action<Position, Exception?> onDurable);

    /// <summary>Entries right after a position, at least one if there is one, about so many bytes. Nothing if the log does not reach back so far.</summary>
    IReadOnlyList<Entry> Read(DatabaseId database, Position after, int maxBytes);
}
