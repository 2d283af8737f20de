namespace ReplicatedSqlite.Journal;

/// <summary>Bytes that were synced are not there any more. The journal does not open: its node is no member until it is repaired from the quorum.</summary>
public sealed class JournalDamagedException(string file, long offsetBytes, string found, string wanted) : JournalException(
    $"{file}, offset {offsetBytes}: {found}; {wanted}. The journal was synced beyond this, so it is damaged: replace it by an empty one, and its databases are brought back from the other followers.")
{
    /// <summary>The file's name.</summary>
    public string File => file;

    /// <summary>Where the damage begins.</summary>
    public long OffsetBytes => offsetBytes;
}
