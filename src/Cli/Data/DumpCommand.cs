namespace ReplicatedSqlite.Cli;

/// <summary><c>.dump</c>: the whole database, or some of its tables, as SQL that makes them again; all of one snapshot.</summary>
/// <remarks>
/// What <c>sqlite3 .dump</c> writes, but for virtual tables: they are made by CREATE VIRTUAL TABLE and filled by INSERT, where sqlite3 writes their inner tables into sqlite_schema,
/// which this server refuses. A snapshot is held for two minutes at most: the server keeps no longer what its readers see.
/// </remarks>
internal sealed class DumpCommand(Session session, Terminal terminal)
{
    private static readonly SqlTransactionOptions _snapshot = new() { ReadOnly = true, IdleTimeout = TimeSpan.FromSeconds(30), TotalTimeout = TimeSpan.FromMinutes(2) };

    public async Task<int> RunAsync(IReadOnlyList<string> tables, CancellationToken cancellationToken)
    {
        var output = terminal.Output;
        await using var snapshot = await session.BeginTransactionAsync(_snapshot, cancellationToken);
        var shadows = await NamesAsync(snapshot, "SELECT name FROM pragma_table_list WHERE type='shadow'", cancellationToken);
        var wanted = (await snapshot.QueryAsync(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL AND name NOT LIKE '\\_rs\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\' ORDER BY rowid",
                cancellationToken: cancellationToken))
            .Rows.Select(row => (Type: row.GetString(0), Name: row.GetString(1), Table: row.GetString(2), Sql: row.GetString(3)))
            .Where(entry => !shadows.Contains(entry.Table) && (tables.Count == 0 || tables.Contains(entry.Table, StringComparer.OrdinalIgnoreCase)))
            .ToList();
        if (tables.FirstOrDefault(table => !wanted.Exists(entry => entry.Name.Equals(table, StringComparison.OrdinalIgnoreCase))) is { } missing)
        {
            await terminal.Error.WriteLineAsync($"error: there is no table or view '{missing}'.");
            return ExitCode.Usage;
        }

        await output.WriteLineAsync("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;");
        foreach (var table in wanted.Where(static entry => entry.Type == "table"))
        {
            if (table.Name == "sqlite_sequence")
            {
                await output.WriteLineAsync("DELETE FROM sqlite_sequence;");
            }
            else
            {
                await output.WriteLineAsync(table.Sql + ";");
            }

            await WriteRowsAsync(snapshot, table.Name, table.Sql, cancellationToken);
        }

        foreach (var (_, _, _, sql) in wanted.Where(static entry => entry.Type != "table")) await output.WriteLineAsync(sql + ";"); // behind the rows, which need no triggers
        await output.WriteLineAsync("COMMIT;");
        return ExitCode.Ok;
    }

    private async Task WriteRowsAsync(SqlTransaction snapshot, string table, string sql, CancellationToken cancellationToken)
    {
        // Generated columns cannot be inserted; a full-text table's rows are found again by their number.
        var columns = await NamesAsync(snapshot, $"SELECT name FROM pragma_table_xinfo({Text(table)}) WHERE hidden=0", cancellationToken);
        var hidden = await snapshot.QueryScalarAsync<long>($"SELECT count(*) FROM pragma_table_xinfo({Text(table)}) WHERE hidden IN (2, 3)", cancellationToken: cancellationToken);
        var isFts = sql.StartsWith("CREATE VIRTUAL", StringComparison.OrdinalIgnoreCase) && sql.Contains("fts5", StringComparison.OrdinalIgnoreCase);
        var listed = string.Join(',', (isFts ? ["rowid"] : Array.Empty<string>()).Concat(columns.Select(SqlLiteral.Name)));
        var into = isFts || hidden > 0 ? $"{SqlLiteral.Name(table)}({listed})" : SqlLiteral.Name(table);
        var values = new string[columns.Count + (isFts ? 1 : 0)];
        await foreach (var row in snapshot.StreamAsync($"SELECT {listed} FROM {SqlLiteral.Name(table)}", cancellationToken: cancellationToken))
        {
            for (var i = 0; i < values.Length; i++) values[i] = SqlLiteral.Of(row, i);
            await terminal.Output.WriteLineAsync($"INSERT INTO {into} VALUES({string.Join(',', values)});");
        }
    }

    private static async Task<List<string>> NamesAsync(SqlTransaction snapshot, string sql, CancellationToken cancellationToken) =>
        [.. (await snapshot.QueryAsync(sql, cancellationToken: cancellationToken)).Rows.Select(row => row.GetString(0))];

    private static string Text(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
}
