using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <content>Prepared statements: taken from the cache or from SQLite, and given back.</content>
public sealed unsafe partial class QueryConnection
{
    /// <summary>How many prepared statements are kept.</summary>
    public int CachedStatements => _cache.Count;

    /// <summary>What a text's first statement would need and return, without running it.</summary>
    /// <exception cref="RequestException">The text is refused, by SQLite or by us.</exception>
    public DescribeResponse Describe(string sql)
    {
        using var text = new Utf8Sql(sql, 0);
        var next = 0;
        var statement = RentNext(text, ref next, 0) ?? throw SqlErrors.Invalid("The text holds no SQL, only blanks or comments.", 0);
        try
        {
            var description = new DescribeResponse { ReadOnly = statement.IsReadOnly, TailOffset = (uint)next };
            description.Parameters.Add(statement.Parameters.Select(name => name ?? ""));
            description.Columns.Add(statement.Columns);
            return description;
        }
        finally
        {
            Return(statement);
            ResetAfterRequest();
        }
    }

    /// <summary>A statement by its whole text, of which there is exactly one in it. Goes back by <see cref="Return"/>.</summary>
    /// <exception cref="RequestException">The text is refused, by SQLite or by us.</exception>
    internal PreparedSql Rent(string sql, int statementIndex, string severalText = "The text holds several statements. Send each as a Statement of its own, or set `script`.")
    {
        var statement = _cache.Take(sql);
        if (statement != null)
        {
            return statement;
        }

        using var text = new Utf8Sql(sql, statementIndex);
        statement = Prepare(text, 0, statementIndex, sql, out var next)
            ?? throw SqlErrors.Invalid("The statement's text holds no SQL, only blanks or comments.", statementIndex);
        if (HasMore(text, next))
        {
            statement.Free();
            throw SqlErrors.Invalid(severalText, statementIndex, next);
        }

        Keep(statement);
        return statement;
    }

    /// <summary>The next statement of a script.</summary>
    /// <returns><see langword="null"/> at the end.</returns>
    internal PreparedSql? RentNext(Utf8Sql script, ref int offset, int statementIndex)
    {
        if (offset == 0 && script.Text != null && _cache.Take(script.Text) is { } whole)
        {
            offset = script.Length;
            return whole; // a script of one statement, seen before
        }

        var start = offset;
        var statement = Prepare(script, start, statementIndex, null, out offset);
        if (statement != null)
        {
            statement.InUse = true;
            statement.Evicted = true; // freed when it comes back
        }

        return statement;
    }

    /// <summary>The next statement of a text of which more may follow behind what is there.</summary>
    /// <param name="window">The text from here on, as far as it is there.</param>
    /// <param name="isEnd">Nothing follows.</param>
    /// <param name="offset">Where in the window; moves behind the statement.</param>
    /// <param name="statementIndex">Its number.</param>
    /// <param name="needsMore">Whether it is whole cannot be said before more is there.</param>
    /// <returns><see langword="null"/> at the end, or when more is needed.</returns>
    /// <exception cref="RequestException">SQLite refused it, or we.</exception>
    internal PreparedSql? RentNext(Utf8Sql window, bool isEnd, ref int offset, int statementIndex, out bool needsMore)
    {
        var start = offset;
        var code = TryPrepare(window, start, null, out var statement, out var next);

        // What reaches to the end of the window may go on behind it: a shorter statement may be one too.
        needsMore = !isEnd && (code != SqliteCodes.Ok || next >= window.Length);
        if (needsMore)
        {
            statement?.Free();
            return null;
        }

        if (code != SqliteCodes.Ok)
        {
            throw Error(code, statementIndex, start);
        }

        offset = next;
        if (statement != null)
        {
            statement.InUse = true;
            statement.Evicted = true; // freed when it comes back
        }

        return statement;
    }

    /// <summary>Gives a statement back.</summary>
    internal static void Return(PreparedSql statement)
    {
        statement.Reset();
        statement.InUse = false;
        if (statement.Evicted)
        {
            statement.Free();
        }
    }

    /// <summary>Other SQL than that of prepared statements changed what they were prepared from.</summary>
    internal void ForgetStatements()
    {
        _cache.Clear();
        _schemaTouched = true;
    }

    /// <summary>A transaction or savepoint was rolled back, and with it perhaps a change of the schema.</summary>
    internal void AfterRollback()
    {
        if (_schemaTouched)
        {
            _cache.Clear();
        }
    }

    private void Keep(PreparedSql statement)
    {
        statement.InUse = true;
        // A pragma that sets something does so when it is prepared: from the cache it would do nothing. A savepoint is allowed here and refused there.
        statement.Evicted = (statement.Traits & (StatementTraits.Pragma | StatementTraits.Savepoint)) != 0 || !_cache.Add(statement);
    }

    private PreparedSql? Prepare(Utf8Sql text, int start, int statementIndex, string? cacheKey, out int next)
    {
        var code = TryPrepare(text, start, cacheKey, out var statement, out next);
        if (SqliteCodes.Primary(code) == SqliteCodes.Error && !IsWriter && _snapshotHolders == 0)
        {
            // A reader's picture of the schema may be older than the file. SQLite looks again after most errors that may come from that, but not after all,
            // such as a missing INSTEAD OF trigger or a table that exists no more.
            RefreshSchema();
            code = TryPrepare(text, start, cacheKey, out statement, out next);
        }

        return code == SqliteCodes.Ok ? statement : throw Error(code, statementIndex, start);
    }

    private int TryPrepare(Utf8Sql text, int start, string? cacheKey, out PreparedSql? statement, out int next)
    {
        Authorizer.Traits = StatementTraits.None;
        Authorizer.Denial = null;
        Authorizer.Preparing = true;
        statement = null;
        try
        {
            using var user = As(SqlAuthority.User);
            fixed (byte* sql = text.Bytes)
            {
                var code = NativeMethods.sqlite3_prepare_v3(
                    Connection.Handle, sql + start, text.LengthFrom(start), cacheKey == null ? 0u : SqliteCodes.PreparePersistent, out var handle, out var tail);
                next = code == SqliteCodes.Ok ? (int)(tail - sql) : start;
                if (handle != 0)
                {
                    ReadOnlySpan<byte> own = text.Bytes.AsSpan(start, next - start);
                    var unseen = SqlText.IsVacuum(own) ? StatementTraits.Vacuum : SqlText.IsCreateOrDrop(own) ? StatementTraits.Schema : 0;
                    statement = new PreparedSql(this, handle, cacheKey, start, Authorizer.Traits | unseen);
                }

                return code;
            }
        }
        finally
        {
            Authorizer.Preparing = false;
        }
    }

    /// <summary>Reads the schema again if the file's is another: a statement that begins a read transaction compares them.</summary>
    private void RefreshSchema()
    {
        try
        {
            BeginSnapshot();
            EndSnapshot();
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }
    }

    /// <summary>Whether there is any SQL from here on. Only SQLite knows, since it may be comments.</summary>
    private bool HasMore(Utf8Sql text, int start)
    {
        if (text.Bytes.AsSpan(start, text.Length - start).IndexOfAnyExcept(" \t\r\n\f"u8) < 0)
        {
            return false;
        }

        using (As(SqlAuthority.Probe))
        {
            fixed (byte* sql = text.Bytes)
            {
                var code = NativeMethods.sqlite3_prepare_v3(Connection.Handle, sql + start, text.LengthFrom(start), 0, out var handle, out _);
                if (handle != 0)
                {
                    _ = NativeMethods.sqlite3_finalize(handle);
                }

                return code != SqliteCodes.Ok || handle != 0;
            }
        }
    }
}
