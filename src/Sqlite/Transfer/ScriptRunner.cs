using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Runs the statements of a long text one after the other, in a transaction that somebody else has opened. The first that fails ends it.</summary>
internal static class ScriptRunner
{
    /// <summary>Runs all of them.</summary>
    /// <param name="connection">A writer. What the statements changed on it, its owner sets back.</param>
    /// <param name="source">UTF-8. It is read from here to its end, a window at a time.</param>
    /// <param name="read">Told now and then how many bytes have been run.</param>
    /// <exception cref="RequestException">One failed, or the text is none. What was done before is still there.</exception>
    public static ScriptOutcome Run(QueryConnection connection, Stream source, Action<long>? read)
    {
        var run = new StatementRun(connection);
        var window = new ScriptWindow(source);
        var discarded = new DiscardedRows();
        var (index, rowsRead, rowsWritten, changes, wrote) = (0, 0L, 0L, 0L, false);
        while (true)
        {
            if (!window.IsEnd)
            {
                window.Read();
                read?.Invoke(window.Position);
            }

            var sql = window.Sql;
            while (true)
            {
                var offset = window.Start;
                var statement = connection.RentNext(sql, window.IsEnd, ref offset, index, out var needsMore);
                if (needsMore)
                {
                    break;
                }

                if (statement == null)
                {
                    read?.Invoke(window.Position);
                    return new ScriptOutcome(index, rowsRead, rowsWritten, changes, wrote);
                }

                try
                {
                    window.TakeTo(offset);
                    RunOne(statement, index);
                }
                finally
                {
                    QueryConnection.Return(statement);
                }

                index++;
            }
        }

        void RunOne(PreparedSql statement, int number)
        {
            if ((statement.Traits & StatementTraits.Vacuum) != 0)
            {
                throw SqlErrors.Invalid(StatementRunner.VacuumRefusal, number);
            }

            if (statement.Parameters.Length > 0)
            {
                throw SqlErrors.Parameters("The SQL of a file has no parameters, and this statement wants some.", number);
            }

            statement.IsDirty = true;
            run.Start(statement, number, SqlAuthority.User);
            while (run.HasRow)
            {
                run.Fill(discarded, long.MaxValue, long.MaxValue, long.MaxValue);
            }

            var meta = run.Finish();
            (rowsRead, rowsWritten, changes, wrote) = (rowsRead + meta.RowsRead, rowsWritten + meta.RowsWritten, changes + meta.Changes, wrote | !statement.IsReadOnly);
        }
    }
}
