namespace ReplicatedSqlite.Journal;

/// <summary>What a record of the journal holds; the numbers are on the disk.</summary>
internal enum RecordKind : byte
{
    Entry = 1,
    Base = 2,
    Cut = 3,
    Remove = 4,
    Start = 5,
    Note = 6,
    Files = 7,
    FileRemoved = 8,
}
