namespace ReplicatedSqlite.Journal;

/// <summary>What the journal needs of a disk; tests put a simulated one in its place. Paths are whole paths.</summary>
public interface IJournalDisk
{
    /// <summary>Makes the folder if it is missing, durably.</summary>
    void CreateFolder(string folder);

    /// <summary>The names of the files in a folder.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Makes a new file of zeros whose whole size is allocated. Neither it nor its name is synced yet.</summary>
    /// <exception cref="DiskFullException">There is no room; no file is left behind.</exception>
    IJournalFile Create(string path, long sizeBytes);

    /// <summary>Opens a file for reading and writing.</summary>
    IJournalFile Open(string path);

    /// <summary>Removes a file's name; whoever has it open can go on reading.</summary>
    void Delete(string path);

    /// <summary>Makes the names in a folder durable.</summary>
    void SyncFolder(string folder);

    /// <summary>Keeps other processes out until it is disposed.</summary>
    /// <exception cref="IOException">Another one is in.</exception>
    IDisposable Lock(string path);
}
