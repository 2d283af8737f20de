using System.Globalization;
using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does reading a session's bookmark cost beside the runtime's own way to read its three numbers, and what does a wrong one cost?</summary>
[MemoryDiagnoser]
public class BookmarkBench
{
    private const string Good = "00000003-00000000000f4240-0123456789abcdef";
    private const string Wrong = "00000003-00000000000f4240-0123456789abcdeg";

    private readonly Bookmark _bookmark = Bookmark.Parse(Good);

    [Benchmark(Baseline = true)]
    public ulong Numbers() =>
        uint.Parse(Good.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        ^ ulong.Parse(Good.AsSpan(9, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        ^ ulong.Parse(Good.AsSpan(26), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    [Benchmark]
    public bool Parse() => Bookmark.TryParse(Good, out _);

    [Benchmark]
    public bool Refuse() => Bookmark.TryParse(Wrong, out _);

    [Benchmark]
    public string Format() => _bookmark.ToString();
}
