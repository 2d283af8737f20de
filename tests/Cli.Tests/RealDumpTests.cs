using System.Diagnostics;

namespace ReplicatedSqlite.Cli.Tests;

/// <summary>What sqlite3 itself dumps, loaded as rsql would send it: each script one transaction, foreign keys on. The result dumps the same.</summary>
public sealed class RealDumpTests
{
    private const string Schema = """
        CREATE TABLE child(id INTEGER PRIMARY KEY AUTOINCREMENT, parent REFERENCES parent(id), note TEXT DEFAULT 'a;b', b BLOB);
        CREATE TABLE parent(id INTEGER PRIMARY KEY, next REFERENCES parent(id));
        CREATE TABLE log(text);
        CREATE TABLE "odd ""name"";"([a;b], `c;d`) ;
        CREATE TRIGGER audit AFTER INSERT ON child BEGIN
          INSERT INTO log VALUES('child ' || new.id || CASE WHEN new.parent IS NULL THEN '; none' ELSE '' END);
          SELECT 1; /* ;END; */
        END;
        CREATE VIEW v AS SELECT * FROM child JOIN parent ON parent.id = parent;
        CREATE INDEX ix ON child(note) WHERE note <> ';';
        INSERT INTO parent VALUES(1, NULL), (3, 1);
        UPDATE parent SET next = 3 WHERE id = 1;
        INSERT INTO child(parent, note, b) VALUES(1, 'line
        two; -- no comment', x'00ff'), (3, 'it''s', NULL), (NULL, char(13, 10) || 'é日本', 1.5);
        DELETE FROM child WHERE id = 2;
        INSERT INTO "odd ""name"";" VALUES(';', 1e100);
        ANALYZE;
        """;

    [Fact]
    public async Task A_dump_loads_with_foreign_keys_on_and_dumps_the_same() => await LoadAsync(Schema);

    [Fact]
    public async Task A_dump_of_the_sample_database_loads_with_foreign_keys_on()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "../../../../../../shared/data/chinook.sql");
        if (!File.Exists(path)) Assert.Skip("There is no ../shared/data/chinook.sql beside the repository.");
        await LoadAsync("PRAGMA synchronous=OFF; BEGIN;\n" + await File.ReadAllTextAsync(path) + ";COMMIT;");
    }

    private static async Task LoadAsync(string sql)
    {
        var dump = await Sqlite3Async(sql + "\n.dump\n");
        var steps = LoadPlan.Make(new SourceText("dump.sql", dump));
        Assert.True(Assert.Single(steps).Script!.IsTransaction);
        var loaded = await Sqlite3Async($"PRAGMA foreign_keys=ON;\nBEGIN;\n{steps[0].Script!.Sql}\nCOMMIT;\nPRAGMA foreign_key_check;\n.dump\n");
        Assert.Equal(dump, loaded);
    }

    private static async Task<string> Sqlite3Async(string input)
    {
        using var process = Start();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Assert.Equal("", await error);
        return await output;
    }

    private static Process Start()
    {
        try
        {
            return Process.Start(new ProcessStartInfo("sqlite3", "-batch :memory:")
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no sqlite3 on this machine.");
            throw;
        }
    }
}
