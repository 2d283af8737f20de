namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Random transactions of every kind that moves pages: DDL, small and spilling writes, rollbacks, blobs, VACUUM, all the ways to shrink.</summary>
internal sealed class RandomWorkload
{
    private readonly Random _random;
    private readonly SqliteConnection _writer;
    private int _tables;

    public RandomWorkload(Random random, SqliteConnection writer)
    {
        _random = random;
        _writer = writer;
        writer.Execute("PRAGMA cache_size=10"); // small, so that transactions spill into the WAL before they commit
        writer.Execute("PRAGMA synchronous=OFF");
        writer.Execute("CREATE TABLE t0(id INTEGER PRIMARY KEY, a, b)");
    }

    /// <summary>Runs one transaction, which may roll back.</summary>
    public void Step()
    {
        var table = $"t{_random.Next(_tables + 1)}";
        switch (_random.Next(16))
        {
            case 0 when _tables < 6:
                _tables++;
                _writer.Execute($"CREATE TABLE t{_tables}(id INTEGER PRIMARY KEY, a, b); ");
                break;
            case 1:
                _writer.Execute($"CREATE INDEX IF NOT EXISTS i_{table} ON {table}(a)");
                break;
            case 2 when _tables > 0:
                _writer.Execute($"DROP TABLE t{_tables}");
                _tables--;
                break;
            case 3:
                _writer.Execute($"DELETE FROM {table} WHERE id % {_random.Next(1, 5)} = 0");
                break;
            case 4:
                _writer.Execute($"UPDATE {table} SET a = a || 'x', b = randomblob({_random.Next(200)})");
                break;
            case 5:
                _writer.Execute($"BEGIN; {Insert(table, 300, 400)}; ROLLBACK");
                break;
            case 6:
                _writer.Execute($"BEGIN; {Insert(table, 5, 100)}; SAVEPOINT s; {Insert(table, 200, 500)}; ROLLBACK TO s; {Insert(table, 3, 50)}; COMMIT");
                break;
            case 7:
                _writer.Execute(Insert(table, 200, 700));
                break;
            case 8:
                _writer.Execute($"INSERT INTO {table}(a, b) VALUES ('big', randomblob({_random.Next(60_000)}))");
                break;
            case 9:
                Vacuum();
                break;
            default:
                _writer.Execute(Insert(table, _random.Next(1, 4), 40));
                break;
        }
    }

    private void Vacuum()
    {
        switch (_random.Next(5))
        {
            case 0:
                _writer.Execute($"PRAGMA auto_vacuum={_random.Next(3)}; VACUUM");
                break;
            case 1:
                _writer.Execute("VACUUM");
                break;
            case 2:
                _writer.Execute($"DELETE FROM t0 WHERE id % 3 != 0");
                break;
            default:
                _writer.Execute($"PRAGMA incremental_vacuum({_random.Next(1, 20)})");
                break;
        }
    }

    private string Insert(string table, int rows, int bytes) =>
        $"INSERT INTO {table}(a, b) WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) " +
        $"SELECT {_random.Next(1000)} + i, randomblob(abs(random()) % {bytes}) FROM n";
}
