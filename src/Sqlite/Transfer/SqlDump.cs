using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Writes a database as SQL that makes it again, much as <c>sqlite3 .dump</c> does.</summary>
/// <remarks>
/// Virtual tables are written by what they hold and not by the tables behind them, so that the text runs where those may not be written (here, on D1); a contentless FTS5 table has
/// nothing to show, so the tables behind it are written, for an import into a new file. One thread; it blocks.
/// </remarks>
public sealed class SqlDump : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly DumpWriter _out;
    private readonly SqlDumpOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly List<string> _rebuilt = []; // indexes of other tables' rows, made when those are there

    private SqlDump(SqliteConnection connection, Stream target, SqlDumpOptions options, CancellationToken cancellation)
    {
        _connection = connection;
        _out = new DumpWriter(target);
        _options = options;
        _cancellation = cancellation;
    }

    /// <summary>Writes all of it.</summary>
    /// <param name="path">A file that nobody else has open (<see cref="ExportedImage"/>).</param>
    /// <param name="target">Where to.</param>
    /// <param name="options">What.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RequestException">A table that was asked for is not there, or the file could not be read.</exception>
    public static void Write(string path, Stream target, SqlDumpOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            using var connection = SqliteConnection.OpenAlone(path);
            using var dump = new SqlDump(connection, target, options, cancellationToken);
            dump.Write();
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }
    }

    /// <summary>Hands over what is left.</summary>
    public void Dispose() => _out.Dispose();

    private void Write()
    {
        var tables = Tables();
        if (_options.Tables.FirstOrDefault(wanted => !tables.Exists(table => Is(table.Name, wanted))) is { } missing)
        {
            throw new RequestException(ErrorCodes.SqliteError, $"no such table: {missing}");
        }

        _out.Raw(_options.OmitTransaction ? "PRAGMA defer_foreign_keys=TRUE"u8 : "PRAGMA foreign_keys=OFF"u8).End();
        if (!_options.OmitTransaction)
        {
            _out.Raw("BEGIN TRANSACTION"u8).End();
        }

        // A row cannot be put in while a table is missing to which its own refers: sqlite3 says so even where keys are looked at later.
        var madeFirst = !_options.OmitSchema && RefersAhead() ? tables.Where(table => IsWanted(table.Name) && !table.IsVirtual).ToHashSet() : [];
        foreach (var table in madeFirst)
        {
            _out.Raw(table.Sql).End();
        }

        foreach (var table in tables.Where(table => IsWanted(table.Name)))
        {
            WriteTable(table, isMade: madeFirst.Contains(table));
        }

        WriteSequences(tables);
        WriteOthers();
        _rebuilt.ForEach(name => _out.Raw("INSERT INTO "u8).Name(name).Raw("("u8).Name(name).Raw(") VALUES('rebuild')"u8).End());
        if (!_options.OmitTransaction)
        {
            _out.Raw("COMMIT"u8).End();
        }
    }

    private List<(string Name, string Sql, bool IsVirtual)> Tables()
    {
        var tables = new List<(string, string, bool)>();
        using var rows = _connection.Prepare(
            """
            SELECT s.name, s.sql, l.type = 'virtual' FROM sqlite_schema s JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
            WHERE s.type = 'table' AND l.type <> 'shadow' AND s.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY s.rowid
            """);
        while (rows.Step())
        {
            tables.Add((rows.GetText(0)!, rows.GetText(1)!, rows.GetInteger(2) != 0));
        }

        return tables;
    }

    private bool RefersAhead()
    {
        using var rows = _connection.Prepare(
            """
            SELECT 1 FROM sqlite_schema s JOIN pragma_foreign_key_list(s.name) f JOIN sqlite_schema p ON p.type = 'table' AND p.name = f."table" COLLATE NOCASE
            WHERE s.type = 'table' AND p.rowid > s.rowid LIMIT 1
            """);
        return rows.Step();
    }

    private void WriteTable((string Name, string Sql, bool IsVirtual) table, bool isMade)
    {
        if (!_options.OmitSchema && !isMade)
        {
            _out.Raw(table.Sql).End();
        }

        if (_options.OmitData)
        {
            return;
        }

        if (!table.IsVirtual)
        {
            WriteRows(table.Name);
            return;
        }

        var sql = VirtualTableSql.Parse(table.Sql);
        switch (sql.Module)
        {
            case "fts5vocab":
                break; // shows another table
            case "rtree" or "rtree_i32":
                WriteRows(table.Name);
                break;
            case "fts5" when sql.Content is null:
                WriteSettings(table.Name);
                WriteRows(table.Name, withRowId: true);
                break;
            case "fts5" when sql.Content.Length > 0:
                WriteSettings(table.Name);
                _rebuilt.Add(table.Name);
                break;
            default:
                WriteShadows(table.Name);
                break;
        }
    }

    private void WriteSettings(string table)
    {
        using var rows = _connection.Prepare($"SELECT k, v FROM {Quote(table + "_config")} WHERE k <> 'version'");
        while (rows.Step())
        {
            _out.Raw("INSERT INTO "u8).Name(table).Raw("("u8).Name(table).Raw(", rank) VALUES("u8);
            WriteValues(rows.Handle, 2);
        }
    }

    private void WriteShadows(string table)
    {
        var shadows = new List<string>();
        using (var names = _connection.Prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow' AND substr(name, 1, length(?1) + 1) = ?1 || '_'"))
        {
            names.BindText(1, table);
            while (names.Step())
            {
                shadows.Add(names.GetText(0)!);
            }
        }

        foreach (var shadow in shadows)
        {
            _out.Raw("DELETE FROM "u8).Name(shadow).End();
            WriteRows(shadow);
        }
    }

    private void WriteRows(string table, bool withRowId = false)
    {
        var columns = new List<string>();
        using (var names = _connection.Prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0"))
        {
            names.BindText(1, table);
            while (names.Step())
            {
                columns.Add(Quote(names.GetText(0)!));
            }
        }

        if (withRowId)
        {
            columns.Insert(0, "rowid");
        }

        var list = string.Join(',', columns);
        var into = System.Text.Encoding.UTF8.GetBytes($"INSERT INTO {Quote(table)} ({list}) VALUES(");
        using var rows = _connection.Prepare($"SELECT {list} FROM {Quote(table)}");
        while (rows.Step())
        {
            _cancellation.ThrowIfCancellationRequested();
            _out.Raw(into);
            WriteValues(rows.Handle, columns.Count);
        }
    }

    private void WriteValues(nint row, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
            {
                _out.Raw(","u8);
            }

            _out.Value(row, i);
        }

        _out.Raw(")"u8).End();
    }

    // Where AUTOINCREMENT goes on.
    private void WriteSequences(List<(string Name, string Sql, bool IsVirtual)> tables)
    {
        if (_options.OmitData || _connection.QueryInteger("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'") == 0)
        {
            return;
        }

        using var rows = _connection.Prepare("SELECT name, seq FROM sqlite_sequence ORDER BY rowid");
        while (rows.Step())
        {
            if (rows.GetText(0) is { } name && IsWanted(name) && tables.Exists(table => table.Name == name))
            {
                _out.Raw("DELETE FROM sqlite_sequence WHERE name="u8);
                _out.Value(rows.Handle, 0);
                _out.End();
                _out.Raw("INSERT INTO sqlite_sequence (name,seq) VALUES("u8);
                WriteValues(rows.Handle, 2);
            }
        }
    }

    // Behind the rows: indexes are made faster so, and triggers did what they do already.
    private void WriteOthers()
    {
        if (_options.OmitSchema)
        {
            return;
        }

        using var rows = _connection.Prepare(
            "SELECT sql, tbl_name, type FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('index', 'view', 'trigger') ORDER BY type <> 'index', type <> 'view', rowid");
        while (rows.Step())
        {
            if (_options.Tables.Count == 0 || (rows.GetText(2) != "view" && IsWanted(rows.GetText(1)!)))
            {
                _out.Raw(rows.GetText(0)!).End();
            }
        }
    }

    private bool IsWanted(string table) => _options.Tables.Count == 0 || _options.Tables.Any(wanted => Is(table, wanted));

    private static bool Is(string name, string wanted) => name.Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
