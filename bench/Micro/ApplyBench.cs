using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does a transaction of one page cost a replica: written to the WAL hidden, then confirmed?</summary>
[MemoryDiagnoser]
public class ApplyBench
{
    private const int TransactionsPerRestart = 4000;

    private string _folder = "";
    private SqliteConnection _connection = null!;
    private WalIndexApplier _applier = null!;
    private byte[] _image = [];
    private int _transactions;

    [Params(512, 4096, 65536)]
    public int PageSizeBytes { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        var path = Path.Combine(_folder, "replica.db");
        DatabaseFile.CreateEmpty(path, PageSizeBytes);
        _connection = SqliteConnection.Open(path);
        _connection.Execute("PRAGMA synchronous=OFF"); // the restarts of the WAL are not what is measured
        _applier = WalIndexApplier.Open(_connection);
        _image = DatabaseFile.FirstPage(PageSizeBytes);
    }

    /// <summary>Each transaction is confirmed before the next one comes: two locks, two writes, one publish.</summary>
    [Benchmark(Baseline = true)]
    public void AppendAndConfirm()
    {
        RestartSometimes();
        _applier.Confirm(Append());
    }

    /// <summary>Eight are under way: the lock is kept, one publish shows them all.</summary>
    [Benchmark(OperationsPerInvoke = 8)]
    public void AppendEightAndConfirm()
    {
        RestartSometimes();
        var last = 0L;
        for (var i = 0; i < 8; i++)
        {
            last = Append();
        }

        _applier.Confirm(last);
    }

    [GlobalCleanup]
    public void Close()
    {
        _applier.Dispose();
        _connection.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private long Append()
    {
        _transactions++;
        _applier.BeginTransaction(1);
        _applier.WritePage(1, _image);
        return _applier.EndTransaction();
    }

    private void RestartSometimes()
    {
        if (_transactions >= TransactionsPerRestart)
        {
            _transactions = 0;
            _connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }
}
