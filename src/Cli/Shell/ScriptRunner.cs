namespace ReplicatedSqlite.Cli;

/// <summary>Sends one script, writes its results, explains its failure.</summary>
internal sealed class ScriptRunner(ShellSettings settings, Terminal terminal)
{
    private (OutputMode Mode, bool Headers, int? Width) _written; // what _writer was made for
    private ResultWriter? _writer; // kept from script to script: results are separated, not only rows

    /// <param name="session">Where to.</param>
    /// <param name="source">Where the script comes from.</param>
    /// <param name="script">The script.</param>
    /// <param name="isPart">Others of the same source went before or come after.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(Session session, SourceText source, Script script, bool isPart, CancellationToken cancellationToken)
    {
        var options = new QueryOptions { SqlTimeout = settings.SqlTimeout, AsOf = settings.AsOf };
        var started = TimeProvider.System.GetTimestamp();
        try
        {
            var sqlMs = await StreamAsync(session, script, options, cancellationToken);
            if (settings.Timer)
            {
                await terminal.Output.FlushAsync(CancellationToken.None);
                await terminal.Error.WriteLineAsync(FormattableString.Invariant($"{TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0.0} ms, {sqlMs:0.0} of them in SQLite"));
            }

            return ExitCode.Ok;
        }
        catch (ReplicatedSqliteException e)
        {
            await terminal.Output.FlushAsync(CancellationToken.None);
            ErrorReport.Write(terminal.Error, e, source, script);
            if (isPart) await terminal.Error.WriteLineAsync(Remainder(script, e));
            return ExitCode.Of(e);
        }
    }

    private ResultWriter Writer()
    {
        var wanted = (settings.Mode, settings.Headers, terminal.Width());
        if (_writer is not null && _written == wanted) return _writer;
        _written = wanted;
        return _writer = ResultWriter.Create(settings.Mode, settings.Headers, terminal.Output, terminal.Width());
    }

    private static string Remainder(Script script, ReplicatedSqliteException e) =>
        $"Everything before line {script.FirstLine} is loaded; of lines {script.FirstLine} to {script.LastLine}, sent together, "
        + (e.CommitState == CommitState.Unknown ? "it is unknown." : "nothing is.");

    // Always as a stream: Execute answers up to 4 MiB, which the results of a dump's many statements reach even though each is empty.
    private async Task<double> StreamAsync(Session session, Script script, QueryOptions options, CancellationToken cancellationToken)
    {
        var writer = Writer();
        var hasColumns = false;
        double sqlMs = 0;

        // A single statement is sent as one: then a broken connection during a SELECT is not taken for a write whose outcome is unknown.
        var parts = script.StatementCount == 1
            ? session.StreamBatchAsync([new SqlStatement(script.Sql)], options, cancellationToken)
            : session.StreamScriptAsync(script.Sql, null, options, cancellationToken);
        await foreach (var part in parts)
        {
            switch (part)
            {
                case ResultStart start:
                    hasColumns = start.Columns.Count > 0;
                    if (hasColumns) writer.Begin(start.Columns);
                    break;
                case ResultRows { Rows: var rows } when hasColumns:
                    foreach (var row in rows) writer.Write(row);
                    break;
                case ResultEnd end:
                    sqlMs += end.Meta.SqlDuration.TotalMilliseconds;
                    if (hasColumns) writer.End();
                    break;
            }
        }

        return sqlMs;
    }
}
