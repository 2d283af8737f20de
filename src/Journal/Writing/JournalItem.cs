namespace ReplicatedSqlite.Journal;

/// <summary>One record that waits to become durable, and who wants to know.</summary>
internal sealed class JournalItem(RecordKind kind, DatabaseLog? log, ReadOnlyMemory<byte> body, Action<Exception?> done)
{
    public RecordKind Kind => kind;

    public DatabaseLog? Log => log;

    public ReadOnlyMemory<byte> Body => body;

    /// <summary>For entries.</summary>
    public Entry? Entry { get; init; }

    /// <summary>For states.</summary>
    public StateRecord State { get; init; }

    /// <summary>For notes.</summary>
    public ReadOnlyMemory<byte> Note { get; init; }

    /// <summary>For a file that leaves.</summary>
    public JournalFile? File { get; init; }

    public int RecordBytes => RecordHeader.SizeBytes + body.Length;

    /// <summary>Where the record's header was put. Set by the writer.</summary>
    public JournalPlace Place { get; set; }

    /// <summary>The link that was written. Set by the writer.</summary>
    public int Previous { get; set; }

    public void Complete(Exception? fault) => done(fault);
}
