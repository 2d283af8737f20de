namespace ReplicatedSqlite.Journal;

/// <summary>One open journal file. It is closed when nobody reads from it any more.</summary>
internal sealed class JournalFile(FileHeader header, IJournalFile content, string name)
{
    private int _users = 1; // the journal itself, and each read that is under way

    public int Number => header.Number;

    public Guid FileId => header.FileId;

    public string Name => name;

    public int SizeBytes => header.FileSizeBytes;

    public IJournalFile Content => content;

    /// <summary>Where the next group goes. Written by the writer only.</summary>
    public int End { get; set; } = FileHeader.SizeBytes;

    /// <summary>Segments of logs that lie here; at 0 nothing here is needed. Under the journal's lock.</summary>
    public int Segments { get; set; }

    /// <summary>Its removal is on the way. Under the journal's lock.</summary>
    public bool IsLeaving { get; set; }

    public int Room => SizeBytes - End;

    public ListedFile Listed => new(Number, FileId, End);

    public void Acquire() => Interlocked.Increment(ref _users);

    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            content.Dispose();
        }
    }
}
