namespace ReplicatedSqlite.EndToEnd;

/// <summary>Everything that changes pages: rows small and large, schema, failures, VACUUM.</summary>
internal sealed class RandomWorkload(Random random)
{
    private readonly List<string> _tables = [];
    private int _created;

    public int Failed { get; private set; }

    /// <summary>Runs one transaction, through any region.</summary>
    public async Task StepAsync(ReplicatedDatabase database)
    {
        var (sql, parameters, fails) = Next();
        try
        {
            await database.ScriptAsync(sql, parameters);
            Assert.False(fails, $"It should have failed: {sql}");
        }
        catch (ReplicatedSqliteException e)
        {
            Assert.True(fails, $"{e.Code} {e.Message}: {sql}");
            Failed++;
        }
    }

    private (string Sql, SqlParameters Parameters, bool Fails) Next()
    {
        if (_tables.Count == 0)
        {
            return (Create(), SqlParameters.None, false);
        }

        var table = _tables[random.Next(_tables.Count)];
        return random.Next(20) switch
        {
            0 => (Create(), SqlParameters.None, false),
            1 when _tables.Count > 2 => (Drop(table), SqlParameters.None, false),
            2 => ("VACUUM", SqlParameters.None, false),
            3 => ($"INSERT INTO {table} (x) VALUES (?)", [Bytes(20_000, 200_000)], false),
            4 or 5 => (Rows(table, random.Next(200, 800)), SqlParameters.None, false),
            6 => ($"UPDATE {table} SET x = randomblob(length(x)), k = k || '!' WHERE id % {random.Next(2, 9)} = 0", SqlParameters.None, false),
            7 => ($"DELETE FROM {table} WHERE id % {random.Next(2, 5)} = 1", SqlParameters.None, false),
            8 => ($"DELETE FROM {table}", SqlParameters.None, false),
            9 => ($"ALTER TABLE {table} ADD COLUMN c{++_created} DEFAULT {random.Next(100)}", SqlParameters.None, false),
            10 => ($"PRAGMA user_version = {random.Next(1000)}", SqlParameters.None, false),
            11 => ($"{Rows(table, 50)}; INSERT INTO {table} (id) VALUES (1), (1)", SqlParameters.None, true), // undone as a whole
            12 => ($"INSERT INTO {table} (id, k) VALUES (-1, NULL), (-1, 'twice')", SqlParameters.None, true),
            13 => ($"UPDATE held SET x = randomblob(2000) WHERE id % 7 = {random.Next(7)}", SqlParameters.None, false),
            14 => ($"INSERT INTO words SELECT hex(randomblob(8)) FROM (VALUES (1), (2), (3)); DELETE FROM words WHERE rowid % 5 = 0", SqlParameters.None, false),
            _ => ($"INSERT INTO {table} (k, x) VALUES (hex(randomblob(6)), ?)", [Bytes(0, 3000)], false),
        };
    }

    private string Create()
    {
        var name = $"t{++_created}";
        _tables.Add(name);
        return $"CREATE TABLE {name} (id INTEGER PRIMARY KEY, k TEXT, x BLOB); CREATE INDEX {name}_k ON {name} (k); {Rows(name, random.Next(1, 60))}";
    }

    private string Drop(string table)
    {
        _tables.Remove(table);
        return $"DROP TABLE {table}";
    }

    private string Rows(string table, int count) =>
        $"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO {table} (k, x) SELECT hex(randomblob(8)), randomblob({random.Next(1, 400)}) FROM n";

    private byte[] Bytes(int min, int max)
    {
        var bytes = new byte[random.Next(min, max)];
        random.NextBytes(bytes);
        return bytes;
    }
}
