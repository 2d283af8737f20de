using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does reading a one-page commit back from the WAL add to the commit itself?</summary>
[MemoryDiagnoser]
public class CaptureBench
{
    // Far below the operations of one measurement, so that the file stays in the page cache and the disk small.
    private const int CommitsPerRestart = 4000;

    private readonly PageSet _pages = new();
    private string _folder = "";
    private SqliteConnection _writer = null!;
    private WalCapture _capture = null!;
    private int _commits;

    [Params(512, 4096, 65536)]
    public int PageSizeBytes { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        var path = Path.Combine(_folder, "primary.db");
        DatabaseFile.CreateEmpty(path, PageSizeBytes);
        _writer = SqliteConnection.Open(path);
        _writer.Execute("PRAGMA synchronous=OFF; CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES(1, 0)");
        _capture = new WalCapture(_writer);
    }

    [Benchmark(Baseline = true)]
    public void Commit()
    {
        if (++_commits % CommitsPerRestart == 0)
        {
            _writer.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        _writer.Execute("UPDATE t SET n = n + 1 WHERE id = 1");
    }

    [Benchmark]
    public bool CommitAndCapture()
    {
        Commit();
        return _capture.Capture(_pages);
    }

    [GlobalCleanup]
    public void Close()
    {
        _capture.Dispose();
        _writer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
