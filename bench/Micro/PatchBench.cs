using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does an entry with a patch of one page cost beside one with the whole page: finding the ranges, checksum, hash, encoding?</summary>
[MemoryDiagnoser]
public class PatchBench
{
    private byte[] _before = [];
    private byte[] _after = [];
    private uint _checksum;
    private EntryHeader _header;

    [Params(512, 4096, 65536)]
    public int PageSizeBytes { get; set; }

    [GlobalSetup]
    public void Make()
    {
        _before = new byte[PageSizeBytes];
        new Random(1).NextBytes(_before);
        _after = [.. _before];
        _after.AsSpan(3, 4).Fill(7); // as an insert does: the page's header, a pointer, a row of 100 bytes
        _after.AsSpan(60, 2).Fill(8);
        _after.AsSpan(PageSizeBytes / 2, 108).Fill(9);
        _checksum = Crc32C.Of(_before);
        _header = new()
        {
            Database = new(new Guid(1, 0, 0, new byte[8])),
            Epoch = 1,
            FirstSequence = 1001,
            LastSequence = 1001,
            Predecessor = new(1, 1000, default),
            PageSizeBytes = PageSizeBytes,
            DatabaseSizePages = 1000,
            CommitTimeMicroseconds = 1,
        };
    }

    [Benchmark(Baseline = true)]
    public Entry Whole()
    {
        var builder = new EntryBuilder(_header, 1);
        _after.CopyTo(builder.AddPage(500));
        return builder.Build();
    }

    [Benchmark]
    public Entry Patch()
    {
        var builder = new EntryBuilder(_header, 1);
        builder.AddPatch(500, _before, _checksum, _after, Crc32C.Of(_after));
        return builder.Build();
    }

    [Benchmark]
    public Entry WithoutZeros()
    {
        var builder = new EntryBuilder(_header, 1);
        builder.AddPage(500, _after);
        return builder.Build();
    }

    [Benchmark]
    public uint Checksum() => Crc32C.Of(_after);
}
