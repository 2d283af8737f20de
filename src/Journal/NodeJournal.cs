using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>A node's journal: the logs of all databases that it follows, in one sequence of files.</summary>
/// <remarks>
/// Whatever waits is written and synced together, then everybody is told. Any thread may call; calls for <i>one</i> database must come one after the other,
/// and take effect in that order. After a failed write or sync the journal stops for good (<see cref="JournalFailedException"/>): dispose it and open again.
/// </remarks>
public sealed partial class NodeJournal : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _work = new(false);
    private readonly JournalOptions _options;
    private readonly JournalFiles _files;
    private readonly GroupWriter _writer;
    private readonly LogIndex _index;
    private readonly JournalQueue _queue;
    private readonly IDisposable _lock;
    private readonly Thread? _thread;
    private List<JournalItem> _writing = []; // of the group under way
    private JournalFailedException? _failed;
    private JournalFullException? _full;
    private bool _wantsRoom; // somebody was refused since the last attempt to make a file
    private bool _stopping;
    private int _tellingThread; // while somebody is told: by which one

    private NodeJournal(JournalOpener opener, RecoveredJournal found, JournalFiles files, JournalOptions options, IDisposable folderLock)
    {
        Id = opener.JournalId;
        IsNew = opener.IsNew;
        _options = options;
        _files = files;
        _index = found.Index;
        _queue = new(options with { GroupBytes = Math.Min(options.GroupBytes, options.FileSizeBytes / 4) });
        _lock = folderLock;
        foreach (var file in found.Files)
        {
            files.Add(file);
        }

        _writer = new(files, found.LastGroup?.Header.Number ?? 0, found.End);
        Seal(); // so that what was read back lies below a recorded synced end
        lock (_gate)
        {
            RemoveUnneededFiles();
        }

        if (options.OwnThread && _failed is null)
        {
            _thread = new(Run) { IsBackground = true, Name = "journal" };
            _thread.Start();
        }
    }

    /// <summary>Names this journal for ever: 128 random bits, made with the folder.</summary>
    public Guid Id { get; }

    /// <summary>The folder held no journal and this call made one: it has promised and acknowledged nothing.</summary>
    public bool IsNew { get; }

    /// <summary>The number of the newest group. It only grows; a journal that has a lower one than it once had was brought back from an older copy.</summary>
    public ulong LastGroup => _writer.LastGroupNumber;

    /// <summary>Raised when everybody in a group has been told, by whoever told them: the journal's thread. Must be quick and not throw.</summary>
    public event Action? GroupTold;

    /// <summary>The caller is being told of its record, and <see cref="GroupTold"/> follows.</summary>
    public bool IsTellingHere => Volatile.Read(ref _tellingThread) == Environment.CurrentManagedThreadId;

    /// <summary>Why the journal stopped, or <see langword="null"/>.</summary>
    public Exception? Fault
    {
        get
        {
            lock (_gate)
            {
                return _failed;
            }
        }
    }

    /// <summary>Opens a journal, making it if the folder holds none. What it reports from then on is durable.</summary>
    /// <exception cref="JournalDamagedException">Synced bytes are missing or wrong. The journal is left as it is.</exception>
    /// <exception cref="JournalInUseException">Another process has it open.</exception>
    /// <exception cref="JournalVersionException">It was written by a version with another format.</exception>
    /// <exception cref="JournalFullException">There is no room to make it.</exception>
    /// <exception cref="JournalFailedException">Reading, writing or syncing failed.</exception>
    public static NodeJournal Open(string folder, JournalOptions options, IJournalDisk disk, Random random)
    {
        options.Validate();
        disk.CreateFolder(folder);
        var folderLock = LockFolder(folder, disk);
        try
        {
            var ids = new NewIds(random);
            var opener = new JournalOpener(folder, disk, ids, options);
            var found = opener.Open();
            var files = new JournalFiles(folder, disk, ids, opener.JournalId, options);
            var journal = new NodeJournal(opener, found, files, options, folderLock);
            if (journal._failed is { } failed)
            {
                files.Close();
                throw failed;
            }

            return journal;
        }
        catch (Exception exception)
        {
            folderLock.Dispose();
            switch (exception)
            {
                case DiskFullException full:
                    throw new JournalFullException(folder, full.NeededBytes, full);
                case IOException or UnauthorizedAccessException:
                    throw new JournalFailedException($"{folder} could not be opened", exception);
                default:
                    throw;
            }
        }
    }

    /// <summary>Writes what waits, then closes the files. What could not be written is failed.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        _work.Set();
        if (_thread is not null)
        {
            await Task.Run(_thread.Join);
        }
        else
        {
            Drain();
        }

        _files.Close();
        _lock.Dispose();
        _work.Dispose();
    }

    private static IDisposable LockFolder(string folder, IJournalDisk disk)
    {
        try
        {
            return disk.Lock(Path.Combine(folder, JournalIdRecord.LockName));
        }
        catch (IOException exception)
        {
            throw new JournalInUseException(folder, exception);
        }
    }

    private void Run()
    {
        try
        {
            PrepareSpare();
            while (!Volatile.Read(ref _stopping))
            {
                _work.WaitOne();
                while (Flush())
                {
                }
            }

            Drain();
        }
        catch (Exception exception)
        {
            // An exception that leaves a thread ends the process, with every other database in it.
            Fail(new JournalFailedException("its thread met a fault", exception));
        }
    }

    private void Drain()
    {
        while (Flush())
        {
        }

        Seal();
        Fail(new JournalFailedException("it was closed"));
    }

    // An empty group says that everything before it was synced: damage there is then told from a torn tail.
    private void Seal()
    {
        try
        {
            if (_failed is null && _writer.HasUnsealed)
            {
                _writer.Write([]);
            }
        }
        catch (DiskFullException)
        {
            // Nothing is lost by it: the next group that finds room says the same.
        }
        catch (Exception exception)
        {
            Fail(new JournalFailedException("a write or sync failed", exception));
        }
    }
}
