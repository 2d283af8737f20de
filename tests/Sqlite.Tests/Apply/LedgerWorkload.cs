namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Transactions whose every prefix keeps an invariant: amounts move between accounts, and each transaction notes its number.</summary>
internal sealed class LedgerWorkload
{
    public const long Total = 200 * 100;

    private readonly Random _random;
    private readonly SqliteConnection _writer;

    public LedgerWorkload(Random random, SqliteConnection writer)
    {
        (_random, _writer) = (random, writer);
        writer.Execute(
            "PRAGMA cache_size=20; BEGIN; CREATE TABLE account(id INTEGER PRIMARY KEY, n, filler); CREATE TABLE log(seq INTEGER PRIMARY KEY); CREATE TABLE state(seq); " +
            "INSERT INTO state VALUES (0); INSERT INTO account WITH RECURSIVE i(v) AS (VALUES(1) UNION ALL SELECT v + 1 FROM i WHERE v < 200) SELECT v, 100, randomblob(100) FROM i; COMMIT");
    }

    public long Sequence { get; private set; }

    public void Step()
    {
        if (_random.Next(60) == 0)
        {
            _writer.Execute("VACUUM"); // no step of the ledger, but every page moves
            return;
        }

        Sequence++;
        var (from, to, amount) = (_random.Next(1, 201), _random.Next(1, 201), _random.Next(50));
        var filler = _random.Next(10) == 0 ? $"UPDATE account SET filler = randomblob({_random.Next(800)}); " : "";
        _writer.Execute(
            $"BEGIN; UPDATE account SET n = n - {amount} WHERE id = {from}; {filler}UPDATE account SET n = n + {amount} WHERE id = {to}; " +
            $"INSERT INTO log VALUES ({Sequence}); UPDATE state SET seq = {Sequence}; COMMIT");
    }
}
