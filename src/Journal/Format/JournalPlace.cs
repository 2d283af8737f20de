namespace ReplicatedSqlite.Journal;

/// <summary>A place in the journal: a file's number and an offset in it.</summary>
internal readonly record struct JournalPlace(int File, int Offset) : IComparable<JournalPlace>
{
    public int CompareTo(JournalPlace other) => (File, Offset).CompareTo((other.File, other.Offset));
}
