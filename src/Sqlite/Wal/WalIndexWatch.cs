namespace ReplicatedSqlite.Sqlite;

/// <summary>Notices that a file has changed since a moment, as SQLite's readers do: by the WAL-index's header. A look is no call of SQLite's.</summary>
/// <remarks>
/// The header is written twice, the second copy first, and each commit, each restart of the WAL changes it. So whoever finds both copies as they were has missed nothing that was
/// visible before the look. Used by one thread at a time, while the connection is open. Source: SQLite <c>wal.c</c>, <c>walIndexTryHdr</c>.
/// </remarks>
/// <param name="connection">Of the file.</param>
internal sealed unsafe class WalIndexWatch(SqliteConnection connection)
{
    private readonly byte* _copies = (byte*)SqliteFileObject.Of(connection).MapBlock(0, extend: false); // mapped until the connection closes
    private readonly byte[] _noted = new byte[WalIndexHeader.SizeBytes];

    /// <summary>The moment is now.</summary>
    public void Note() => Copy(0).CopyTo(_noted);

    /// <summary>Nothing has changed since the moment.</summary>
    public bool IsStill
    {
        get
        {
            if (!Copy(0).SequenceEqual(_noted))
            {
                return false;
            }

            Thread.MemoryBarrier();
            return Copy(1).SequenceEqual(_noted);
        }
    }

    private ReadOnlySpan<byte> Copy(int index) => new(_copies + (index * WalIndexHeader.SizeBytes), WalIndexHeader.SizeBytes);
}
