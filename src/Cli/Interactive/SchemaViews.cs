namespace ReplicatedSqlite.Cli;

/// <summary><c>.tables</c>, <c>.schema</c> and <c>.indexes</c>.</summary>
internal sealed class SchemaViews(Session session, ShellSettings settings, Terminal terminal)
{
    private const string NotOurs = "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_rs\\_%' ESCAPE '\\'";

    public async Task TablesAsync(string? pattern, CancellationToken cancellationToken)
    {
        var names = await NamesAsync($"SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND {NotOurs} AND name LIKE ? ORDER BY name", pattern ?? "%", cancellationToken);
        await WriteInColumnsAsync(names);
    }

    public async Task IndexesAsync(string? table, CancellationToken cancellationToken)
    {
        var names = await NamesAsync($"SELECT name FROM sqlite_schema WHERE type = 'index' AND {NotOurs} AND tbl_name LIKE ? ORDER BY name", table ?? "%", cancellationToken);
        await WriteInColumnsAsync(names);
    }

    public async Task SchemaAsync(string? table, CancellationToken cancellationToken)
    {
        var sql = $"SELECT sql || ';' FROM sqlite_schema WHERE sql NOT NULL AND {NotOurs} AND tbl_name LIKE ? ORDER BY tbl_name, type = 'table' DESC, rowid";
        foreach (var text in await NamesAsync(sql, table ?? "%", cancellationToken)) await terminal.Output.WriteLineAsync(CellText.ForTerminal(text));
    }

    private async Task<List<string>> NamesAsync(string sql, string pattern, CancellationToken cancellationToken) =>
        [.. (await session.QueryAsync(sql, SqlParameters.Positional(pattern), new QueryOptions { AsOf = settings.AsOf }, cancellationToken)).Rows.Select(row => row.GetString(0))];

    // Down the columns, as ls does; one a line where nobody looks.
    private async Task WriteInColumnsAsync(List<string> names)
    {
        var cells = names.Select(CellText.ForTerminal).ToList();
        var width = cells.Count == 0 ? 1 : cells.Max(CellText.Width) + 2;
        var columns = terminal.Width() is { } available ? Math.Max(1, available / width) : 1;
        var rows = (cells.Count + columns - 1) / columns;
        for (var row = 0; row < rows; row++)
        {
            var line = string.Concat(Enumerable.Range(0, columns).Select(column => (column * rows) + row).Where(i => i < cells.Count)
                .Select(i => cells[i] + new string(' ', width - CellText.Width(cells[i]))));
            await terminal.Output.WriteLineAsync(line.TrimEnd());
        }
    }
}
