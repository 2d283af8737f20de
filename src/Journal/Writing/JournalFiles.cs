namespace ReplicatedSqlite.Journal;

/// <summary>The journal's files: those that hold groups, the last of which is written to, and a spare made ahead of need.</summary>
/// <remarks>For the writer only.</remarks>
internal sealed class JournalFiles(string folder, IJournalDisk disk, NewIds ids, Guid journalId, JournalOptions options)
{
    private const int SizeStep = 4096;
    private readonly SortedDictionary<int, JournalFile> _files = [];
    private Task<JournalFile>? _spare;

    public string Folder => folder;

    /// <summary>Files that hold groups, oldest first.</summary>
    public IReadOnlyCollection<JournalFile> All => _files.Values;

    public JournalFile Current { get; private set; } = null!;

    public JournalFile? Find(int number) => _files.GetValueOrDefault(number);

    public void Add(JournalFile file)
    {
        _files.Add(file.Number, file);
        Current = file;
    }

    /// <summary>Makes a file: allocated, with its header, synced together with its name.</summary>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public JournalFile Create(int number, int sizeBytes)
    {
        if (number > FileHeader.MaxNumber)
        {
            throw new InvalidOperationException($"Journal file {number} cannot be named; {FileHeader.MaxNumber} is the last.");
        }

        var header = new FileHeader(number, journalId, ids.Next(), sizeBytes);
        var path = PathOf(number);
        var content = disk.Create(path, sizeBytes);
        try
        {
            content.Write(0, [header.Encode()]);
            content.SyncData();
            disk.SyncFolder(folder);
            return new(header, content, FileHeader.NameOf(number));
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }

    /// <summary>Starts making the next file, so that a writer does not have to wait for it.</summary>
    public void PrepareSpare()
    {
        if (_spare is not null)
        {
            return;
        }

        var number = Current.Number + 1;
        if (options.OwnThread)
        {
            _spare = Task.Run(() => Create(number, options.FileSizeBytes));
            return;
        }

        try
        {
            _spare = Task.FromResult(Create(number, options.FileSizeBytes));
        }
        catch (Exception exception)
        {
            _spare = Task.FromException<JournalFile>(exception);
        }
    }

    /// <summary>The next file, with at least so much room behind its header.</summary>
    /// <exception cref="DiskFullException">There is no room; nothing was changed.</exception>
    public JournalFile TakeNext(long roomBytes)
    {
        var neededBytes = FileHeader.SizeBytes + roomBytes;
        if (neededBytes > options.FileSizeBytes)
        {
            DropSpare();
            return Create(Current.Number + 1, checked((int)((neededBytes + SizeStep - 1) / SizeStep * SizeStep)));
        }

        PrepareSpare();
        var spare = _spare!;
        _spare = null;
        try
        {
            return spare.GetAwaiter().GetResult(); // on the journal's own thread, which has nothing else to do
        }
        catch (DiskFullException)
        {
            return Create(Current.Number + 1, options.FileSizeBytes); // that was a while ago
        }
    }

    /// <summary>Whether a spare is there or can be made now.</summary>
    public bool TryEnsureSpare()
    {
        if (_spare is { IsFaulted: true })
        {
            _spare = null; // that was a while ago
        }

        PrepareSpare();
        try
        {
            _spare!.GetAwaiter().GetResult();
            return true;
        }
        catch (DiskFullException)
        {
            _spare = null;
            return false;
        }
    }

    /// <summary>Deletes files whose removal is journalled, durably: a name that came back would bring back logs whose removal is forgotten by then.</summary>
    public void Remove(IReadOnlyList<JournalFile> removed)
    {
        foreach (var file in removed)
        {
            _files.Remove(file.Number);
            file.Release();
            disk.Delete(PathOf(file.Number));
        }

        disk.SyncFolder(folder);
    }

    public void Close()
    {
        DropSpareHandle();
        foreach (var file in _files.Values)
        {
            file.Release();
        }
    }

    public string PathOf(int number) => Path.Combine(folder, FileHeader.NameOf(number));

    private void DropSpare()
    {
        if (DropSpareHandle())
        {
            disk.Delete(PathOf(Current.Number + 1));
            disk.SyncFolder(folder);
        }
    }

    private bool DropSpareHandle()
    {
        var spare = _spare;
        _spare = null;
        try
        {
            spare?.GetAwaiter().GetResult().Release();
            return spare is not null;
        }
        catch (Exception)
        {
            return false; // it was never made, and whoever needs one will hear why
        }
    }
}
