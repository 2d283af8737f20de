using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does a row of five columns cost on its way into an answer, as it leaves SQLite and by way of message objects, beside stepping over it?</summary>
[MemoryDiagnoser]
public class RowEncodeBench
{
    private const int Rows = 10_000;
    private const string Sql = "SELECT id, number, price, name, note FROM wide";

    private string _folder = "";
    private QueryConnection _reader = null!;
    private SqliteConnection _plain = null!;
    private SqliteStatement _step = null!;
    private SqlRequest _request = null!;

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        var path = Path.Combine(_folder, "db.sqlite");
        DatabaseFile.CreateEmpty(path, 4096);
        _plain = SqliteConnection.Open(path);
        _plain.Execute($"""
            CREATE TABLE wide (id INTEGER PRIMARY KEY, number INTEGER, price REAL, name TEXT, note TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Rows})
            INSERT INTO wide SELECT i, i * 7919 % 1000003, i * 0.37, printf('customer %08d', i), printf('order of %d pieces, sent by post', i % 97) FROM n
            """);
        _step = _plain.Prepare(Sql);
        _reader = QueryConnection.OpenForReading(path);
        _request = new SqlRequest([new Statement { Sql = Sql }]) { BatchRows = 1000, AsParts = true };
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Rows)]
    public int StepOnly()
    {
        var rows = 0;
        while (_step.Step())
        {
            rows++;
        }

        _step.Reset();
        return rows;
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Encoded()
    {
        var parts = 0;
        PreparedRead.TryPrepare(_reader, _request, null, out var read);
        using (read)
        {
            while (read!.NextEncoded() is not null)
            {
                parts++;
            }
        }

        return parts;
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Objects()
    {
        var parts = 0;
        PreparedRead.TryPrepare(_reader, _request, null, out var read);
        using (read)
        {
            while (read!.MoveNext())
            {
                parts++;
            }
        }

        return parts;
    }

    [GlobalCleanup]
    public void Close()
    {
        _step.Dispose();
        _plain.Dispose();
        _reader.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
