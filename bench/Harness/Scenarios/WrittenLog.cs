using System.Diagnostics;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A database of its own whose commits become entries: as a primary makes them, and beside that with whole pages.</summary>
internal sealed class WrittenLog : IDisposable
{
    private const int PageSizeBytes = 4096;
    private const int ChecksumsBytes = 8; // of a patch
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));

    private readonly string _folder = Directory.CreateTempSubdirectory("rs-bytes-").FullName;
    private readonly SqliteConnection _writer;
    private readonly WalCapture _capture;
    private readonly PageSet _pages = new();
    private readonly EntryEncoder _encoder = new(new ImageBudget(64L << 20));
    private readonly string _write;
    private Position _end = new(1, 1, default);

    public WrittenLog(string schema, int rows, string write)
    {
        _write = write;
        var path = Path.Combine(_folder, "db.sqlite");
        DatabaseFile.CreateEmpty(path, PageSizeBytes);
        _writer = SqliteConnection.Open(path);
        _writer.Execute($"PRAGMA synchronous=OFF; {schema}");
        _capture = new WalCapture(_writer);
        Fill(rows);
    }

    /// <summary>Writes, and counts what the entries hold.</summary>
    public WrittenBytes Run(int writes, int perGroup, CancellationToken cancellationToken)
    {
        var text = string.Concat(Enumerable.Repeat(_write + ";", perGroup));
        var (patch, checksums, rest, whole) = (0L, 0L, 0L, 0L);
        var (encode, encodeWhole) = (TimeSpan.Zero, TimeSpan.Zero);
        var groups = writes / perGroup;
        for (var i = 0; i < groups; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Commit(text);
            var header = Header(perGroup);
            var started = Stopwatch.GetTimestamp();
            var wholeEntry = EncodeWhole(header);
            encodeWhole += Stopwatch.GetElapsedTime(started);
            started = Stopwatch.GetTimestamp();
            var entry = _encoder.Encode(header, _pages);
            encode += Stopwatch.GetElapsedTime(started);
            _end = entry.End;
            var ofChecksums = Patches(entry) * ChecksumsBytes;
            checksums += ofChecksums;
            patch += entry.Pages.SizeBytes - ofChecksums;
            rest += entry.Encoded.Length - entry.Pages.SizeBytes;
            whole += wholeEntry.Pages.SizeBytes;
        }

        double count = groups * perGroup;
        return new(patch / count, checksums / count, rest / count, whole / count, encode.TotalMicroseconds / count, encodeWhole.TotalMicroseconds / count);
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _capture.Dispose();
        _writer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // In groups, so that the images of all pages are at hand, as they are in a database that has been written for a while.
    private void Fill(int rows)
    {
        var insert = _write.StartsWith("INSERT", StringComparison.Ordinal) ? _write : "INSERT INTO t(n, v) VALUES (abs(random()) % 100000, randomblob(100))";
        for (var left = rows; left > 0; left -= 1000)
        {
            Commit(string.Concat(Enumerable.Repeat(insert + ";", 1000)));
            _end = _encoder.Encode(Header(1000), _pages).End;
        }
    }

    private void Commit(string text)
    {
        _writer.Execute($"BEGIN; {text} COMMIT");
        if (!_capture.Capture(_pages))
        {
            throw new BenchException($"'{_write}' changed no page.");
        }
    }

    private Entry EncodeWhole(in EntryHeader header)
    {
        var builder = new EntryBuilder(header, _pages.Count);
        for (var i = 0; i < _pages.Count; i++)
        {
            _pages.Page(i).CopyTo(builder.AddPage(_pages.PageNumber(i)));
        }

        return builder.Build();
    }

    private static int Patches(Entry entry)
    {
        var patches = 0;
        foreach (var record in entry.Pages)
        {
            patches += record.IsPatch ? 1 : 0;
        }

        return patches;
    }

    private EntryHeader Header(int writes) => new()
    {
        Database = _database,
        Epoch = _end.Epoch,
        FirstSequence = _end.Sequence + 1,
        LastSequence = _end.Sequence + (ulong)writes,
        Predecessor = _end,
        PageSizeBytes = PageSizeBytes,
        DatabaseSizePages = _pages.DatabaseSizePages,
        CommitTimeMicroseconds = 1_700_000_000_000_000,
    };
}

/// <summary>What a write takes, on average.</summary>
/// <param name="Patch">Page numbers, ranges, data; bytes, like the next three.</param>
/// <param name="Checksums">Of the pages before and after.</param>
/// <param name="Rest">Header and checksum of the entry.</param>
/// <param name="WholePages">The same pages sent whole.</param>
/// <param name="EncodeMicroseconds">Finding the patches, hashing, encoding.</param>
/// <param name="WholeMicroseconds">Encoding whole pages, hashing.</param>
internal readonly record struct WrittenBytes(double Patch, double Checksums, double Rest, double WholePages, double EncodeMicroseconds, double WholeMicroseconds);
