using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Loads a CSV file into a table, a thousand rows a transaction. A table that does not exist is made from the first line's names.</summary>
internal sealed class CsvImport(Session session, Terminal terminal, QueryOptions options)
{
    private const int RowsPerTransaction = 1000;
    private const int CharactersPerTransaction = 1 << 20;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="path">The file.</param>
    /// <param name="table">Into which table.</param>
    /// <param name="skip">Lines at the head that are no data, though the table exists.</param>
    /// <param name="cancellationToken">Ends it; what was loaded stays.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string path, string table, int skip, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(path);
            using var text = new StreamReader(file, _strict);
            return terminal.ShowsProgress && file.Length > CharactersPerTransaction
                ? await LoadProgress.ShowAsync(Path.GetFileName(path), terminal.Error, progress => LoadAsync(text, table, skip, () => progress((double)file.Position / file.Length), cancellationToken))
                : await LoadAsync(text, table, skip, static () => { }, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            await terminal.Error.WriteLineAsync($"error: '{path}' cannot be read: {(e is DecoderFallbackException ? "it is not text in UTF-8." : e.Message)}");
            return ExitCode.Usage;
        }
    }

    private async Task<int> LoadAsync(TextReader text, string table, int skip, Action progress, CancellationToken cancellationToken)
    {
        var reader = new CsvReader(text);
        long loaded = 0;
        var batch = new List<SqlStatement>();
        int firstLine = 1, characters = 0;
        try
        {
            var columns = await ColumnsAsync(table, cancellationToken);
            if (columns == 0)
            {
                if (reader.Read() is not { } names) return ExitCode.Ok;
                await session.ExecuteAsync($"CREATE TABLE {Quote(table)}({string.Join(", ", names.Select(name => $"{Quote(name)} TEXT"))})", null, options, cancellationToken);
                columns = names.Length;
            }

            for (var i = 0; i < skip; i++) reader.Read();
            var insert = $"INSERT INTO {Quote(table)} VALUES({string.Join(',', Enumerable.Repeat('?', columns))})";
            while (reader.Read() is { } fields)
            {
                if (fields.Length != columns)
                {
                    if (fields is [""]) continue; // an empty line
                    throw new LoadException($"Line {reader.Line} has {fields.Length} fields; the table has {columns} columns.", 0);
                }

                if (batch.Count == 0) firstLine = reader.Line;
                batch.Add(new SqlStatement(batch.Count == 0 ? insert : "", SqlParameters.Positional(fields)));
                characters += fields.Sum(static field => field.Length);
                if (batch.Count == RowsPerTransaction || characters >= CharactersPerTransaction) await FlushAsync();
            }

            await FlushAsync();
            await terminal.Error.WriteLineAsync(FormattableString.Invariant($"{loaded} rows were loaded into {table}."));
            return ExitCode.Ok;
        }
        catch (LoadException e)
        {
            await terminal.Error.WriteLineAsync(FormattableString.Invariant($"error: {e.Message} {loaded} rows are loaded; those before line {firstLine} of them."));
            return ExitCode.SqlError;
        }
        catch (ReplicatedSqliteException e)
        {
            ErrorReport.Write(terminal.Error, e);
            var unknown = e.CommitState == CommitState.Unknown ? "of those that follow it is unknown" : "nothing behind them is";
            await terminal.Error.WriteLineAsync(FormattableString.Invariant($"{loaded} rows are loaded, {unknown} (lines {firstLine} and on; row {e.StatementIndex + 1} of them was refused)."));
            return ExitCode.Of(e);
        }

        async Task FlushAsync()
        {
            if (batch.Count == 0) return;
            await session.BatchAsync(batch, options, cancellationToken);
            loaded += batch.Count;
            batch.Clear();
            characters = 0;
            progress();
        }
    }

    private async Task<int> ColumnsAsync(string table, CancellationToken cancellationToken) => (int)await session.QueryScalarAsync<long>(
        "SELECT count(*) FROM pragma_table_info(?)", SqlParameters.Positional(table), options, cancellationToken);

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
