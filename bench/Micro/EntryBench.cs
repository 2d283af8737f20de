using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does it cost to encode an entry of one page, and to check and decode it, beside copying its bytes?</summary>
[MemoryDiagnoser]
public class EntryBench
{
    private byte[] _page = [];
    private byte[] _copy = [];
    private ReadOnlyMemory<byte> _encoded;
    private EntryHeader _header;

    [Params(512, 4096, 65536)]
    public int PageSizeBytes { get; set; }

    [GlobalSetup]
    public void Make()
    {
        _page = new byte[PageSizeBytes];
        new Random(1).NextBytes(_page);
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
        _encoded = Encode().Encoded;
        _copy = new byte[_encoded.Length];
    }

    [Benchmark(Baseline = true)]
    public void Copy() => _encoded.Span.CopyTo(_copy);

    [Benchmark]
    public Entry Encode()
    {
        var builder = new EntryBuilder(_header, 1);
        _page.CopyTo(builder.AddPage(500));
        return builder.Build();
    }

    [Benchmark]
    public Entry Decode() => Entry.Decode(_encoded);
}
