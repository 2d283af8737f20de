namespace ReplicatedSqlite.Journal;

/// <summary>One page as an entry holds it. <paramref name="Data"/> lies in the entry's own bytes.</summary>
public readonly record struct PageRecord(uint PageNumber, PageKind Kind, ReadOnlyMemory<byte> Data);
