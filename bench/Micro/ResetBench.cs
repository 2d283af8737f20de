using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does it cost to see to it that one client's request leaves nothing on a connection for the next, when it has changed nothing?</summary>
[MemoryDiagnoser]
public class ResetBench
{
    private readonly SqlRequest _read = new([new Statement { Sql = "SELECT n FROM t WHERE id = 1" }]);
    private string _folder = "";
    private QueryConnection _writer = null!;
    private QueryConnection _reader = null!;

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        var path = Path.Combine(_folder, "main.db");
        _writer = QueryConnection.OpenForWriting(path, create: true);
        _writer.Connection.Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES(1, 0)");
        _reader = QueryConnection.OpenForReading(path);
    }

    /// <summary>A whole point read, its reset in it.</summary>
    [Benchmark(Baseline = true)]
    public int Read()
    {
        PreparedRead.TryPrepare(_reader, _read, null, out var read);
        using (read)
        {
            return ResultCollector.Collect(read!).Count;
        }
    }

    /// <summary>All that a reader does between two requests.</summary>
    [Benchmark]
    public void ResetReader()
    {
        _reader.ResetAfterRequest();
        _reader.Watch.Stop();
    }

    /// <summary>All that the writer does between two requests, each in a transaction of its own.</summary>
    [Benchmark]
    public void ResetWriter()
    {
        _writer.Writes.BeginRequest();
        _writer.ResetAfterRequest();
        _writer.ResetAfterTransaction();
        _writer.Watch.Stop();
    }

    [GlobalCleanup]
    public void Close()
    {
        _reader.Dispose();
        _writer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
