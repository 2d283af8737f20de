using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>What is known of one database's log. Everything here is under the journal's lock.</summary>
internal sealed class DatabaseLog(DatabaseId id)
{
    public DatabaseId Id => id;

    /// <summary>The durable end.</summary>
    public Position Durable { get; set; }

    /// <summary>The log up to here is no longer needed.</summary>
    public Position Base { get; set; }

    /// <summary>The end with what still waits to be written.</summary>
    public Position Appended { get; set; }

    /// <summary>The base with what still waits to be written.</summary>
    public Position AppendedBase { get; set; }

    /// <summary>The note with what still waits to be written.</summary>
    public ReadOnlyMemory<byte> AppendedNote { get; set; }

    /// <summary>Removed, with what still waits to be written.</summary>
    public bool AppendedRemoved { get; set; }

    /// <summary>Its entries do not count any more; kept as long as older files may hold some.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>The follower's own bytes, durable.</summary>
    public ReadOnlyMemory<byte> Note { get; set; }

    /// <summary>The file of the newest state record, or 0.</summary>
    public int StateFile { get; set; }

    /// <summary>The file of the newest note, or 0.</summary>
    public int NoteFile { get; set; }

    /// <summary>Where its newest entry was put, for the next one's link. Written by the writer only.</summary>
    public JournalPlace LastWritten { get; set; }

    /// <summary>Grows whenever something of it becomes durable.</summary>
    public long Changes { get; set; }

    /// <summary>Bytes of the entries in <see cref="Segments"/>, those that were cut out of a run among them.</summary>
    public long Bytes { get; set; }

    /// <summary>Durable runs in order of the log.</summary>
    public List<LogSegment> Segments { get; } = [];

    /// <summary>Nothing is known of it.</summary>
    public bool IsUnknown => Durable == Position.Start && StateFile == 0 && NoteFile == 0;

    /// <summary>Nothing waits that could not be written: what was only promised is taken back.</summary>
    public void ForgetAppended()
    {
        Appended = Durable;
        AppendedBase = Base;
        AppendedNote = Note;
        AppendedRemoved = IsRemoved;
    }
}
