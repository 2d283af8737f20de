using System.Globalization;
using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does a single-row insert cost inside the writer when it shares its transaction with 63 others, and what does the savepoint of each add to SQLite's own work?</summary>
[MemoryDiagnoser]
public class GroupWriteBench
{
    private const int Members = 64;
    private const string Sql = "INSERT INTO t (v) VALUES (?)";

    // Keeps the WAL in the page cache and the table small, as a checkpointing owner does.
    private const int GroupsPerReset = 500;

    private readonly List<SqlRequest> _waiting = [];
    private readonly List<SqlRequest> _one = [];
    private string _folder = "";
    private QueryConnection _connection = null!;
    private GroupWriter _writer = null!;
    private SqliteConnection _plain = null!;
    private SqliteStatement _begin = null!;
    private SqliteStatement _insert = null!;
    private SqliteStatement _commit = null!;
    private int _groups;

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        const string Schema = "PRAGMA synchronous=OFF; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)";
        var path = Path.Combine(_folder, "grouped.db");
        DatabaseFile.CreateEmpty(path, 4096);
        _connection = QueryConnection.OpenForWriting(path);
        _connection.Connection.Execute(Schema);
        // On a busy machine a thread may stand still for longer than a slow member may take; that would make a smaller group of this one.
        _writer = new GroupWriter(_connection, new GroupWriterOptions { SlowMember = TimeSpan.FromSeconds(10) });
        for (var i = 0; i < Members; i++)
        {
            _waiting.Add(new SqlRequest([new Statement { Sql = Sql, Positional = { new Value { Text = Text(i) } } }]));
        }

        _one.Add(_waiting[0]);
        var plain = Path.Combine(_folder, "plain.db");
        DatabaseFile.CreateEmpty(plain, 4096);
        _plain = SqliteConnection.Open(plain);
        _plain.Execute(Schema);
        _begin = _plain.Prepare("BEGIN IMMEDIATE");
        _insert = _plain.Prepare("INSERT INTO t (v) VALUES ('" + Text(0) + "')");
        _commit = _plain.Prepare("COMMIT");
    }

    /// <summary>The same rows in one transaction, by SQLite alone.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Members)]
    public void PlainTransaction()
    {
        ResetSometimes(_plain);
        _begin.Run();
        for (var i = 0; i < Members; i++)
        {
            _insert.Run();
        }

        _commit.Run();
    }

    [Benchmark(OperationsPerInvoke = Members)]
    public void GroupOf64()
    {
        ResetSometimes(_connection.Connection);
        Check(_writer.Run(_waiting), Members);
    }

    [Benchmark]
    public void Alone()
    {
        ResetSometimes(_connection.Connection);
        Check(_writer.Run(_one), 1);
    }

    [GlobalCleanup]
    public void Close()
    {
        _begin.Dispose();
        _insert.Dispose();
        _commit.Dispose();
        _plain.Dispose();
        _writer.Dispose();
        _connection.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Text(int i) => string.Create(CultureInfo.InvariantCulture, $"{i:D100}");

    private static void Check(PendingGroup group, int members)
    {
        if (group.Members.Count != members)
        {
            throw new InvalidOperationException($"{group.Members.Count} of {members} members were taken.");
        }
    }

    private void ResetSometimes(SqliteConnection connection)
    {
        if (++_groups % GroupsPerReset == 0)
        {
            connection.Execute("DELETE FROM t; PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }
}
