using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does an entry cost that goes through the journal, alone and 64 to a sync, beside writing the same bytes to a file and syncing it?</summary>
/// <remarks>The disk is in all of them; what differs is the journal.</remarks>
[MemoryDiagnoser]
public class JournalBench
{
    private const int Together = 64;
    private const int BlockBytes = 4096;
    private const long MostBytes = 64 << 20; // the plain file begins anew

    private readonly byte[] _block = new byte[BlockBytes];
    private string _folder = "";
    private NodeJournal _journal = null!;
    private Microsoft.Win32.SafeHandles.SafeFileHandle _plain = null!;
    private long _at;
    private Position _end;

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        _journal = NodeJournal.Open(Path.Combine(_folder, "journal"), new() { OwnThread = false }, new FileSystemDisk(), new Random(1));
        _plain = File.OpenHandle(Path.Combine(_folder, "plain"), FileMode.Create, FileAccess.Write);
        var first = EpochEntry.Create(HeaderOf(EntryFlags.EpochEntry), EpochTable.Empty);
        _end = first.End;
        Write([first]);
    }

    [Benchmark(Baseline = true)]
    public void PlainFile()
    {
        RandomAccess.Write(_plain, _block, _at);
        RandomAccess.FlushToDisk(_plain);
        _at = (_at + BlockBytes) % MostBytes;
    }

    [Benchmark]
    public void Alone() => Write([Next()]);

    [Benchmark(OperationsPerInvoke = Together)]
    public void SixtyFourTogether() => Write([.. Enumerable.Range(0, Together).Select(_ => Next())]);

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await _journal.DisposeAsync();
        _plain.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Write(IReadOnlyList<Entry> entries)
    {
        foreach (var entry in entries)
        {
            _ = _journal.EnqueueAsync(entry, static (_, fault) =>
            {
                if (fault is not null)
                {
                    throw fault;
                }
            });
        }

        _journal.Flush();
    }

    private Entry Next()
    {
        var builder = new EntryBuilder(HeaderOf(EntryFlags.None), 1);
        builder.AddPage(1).Fill(7);
        var entry = builder.Build();
        _end = entry.End;
        return entry;
    }

    private EntryHeader HeaderOf(EntryFlags flags) => new()
    {
        Flags = flags,
        Database = new(new Guid(1, 0, 0, new byte[8])),
        Epoch = 1,
        FirstSequence = _end.Sequence + 1,
        LastSequence = _end.Sequence + 1,
        Predecessor = _end,
        PageSizeBytes = 512,
        DatabaseSizePages = 100,
        CommitTimeMicroseconds = 1,
    };
}
