namespace ReplicatedSqlite.Sqlite;

/// <summary>A prepared statement of the engine's own. Reset it after use, by <see cref="Run"/> or <see cref="Reset"/>.</summary>
public sealed class OwnerStatement
{
    private readonly QueryConnection _connection;
    private readonly SqliteStatement _statement;

    internal OwnerStatement(QueryConnection connection, SqliteStatement statement)
    {
        _connection = connection;
        _statement = statement;
    }

    /// <summary>Binds an integer to ?<paramref name="index"/>.</summary>
    public OwnerStatement Bind(int index, long value)
    {
        _statement.Bind(index, value);
        return this;
    }

    /// <summary>Binds a text, or NULL.</summary>
    public OwnerStatement Bind(int index, string? value)
    {
        if (value == null)
        {
            _connection.Connection.Check(NativeMethods.fast_bind_null(_statement.Handle, index));
            return this;
        }

        _statement.BindText(index, value);
        return this;
    }

    /// <summary>Binds bytes; none are an empty blob, not NULL.</summary>
    public OwnerStatement Bind(int index, ReadOnlySpan<byte> value)
    {
        _statement.Bind(index, value);
        return this;
    }

    /// <summary>Goes to the next row.</summary>
    /// <returns><see langword="false"/> at the end.</returns>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public bool Step()
    {
        return _statement.Step();
    }

    /// <summary>Runs it to its end and resets it.</summary>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public void Run()
    {
        _statement.Run();
    }

    /// <summary>Whether the row's column is NULL.</summary>
    public bool IsNull(int column) => NativeMethods.fast_column_type(_statement.Handle, column) == SqliteCodes.TypeNull;

    /// <summary>The row's column as an integer.</summary>
    public long GetInteger(int column) => NativeMethods.fast_column_int64(_statement.Handle, column);

    /// <summary>The row's column as text.</summary>
    public string? GetText(int column) => _statement.GetText(column);

    /// <summary>The row's column as bytes, valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> GetBlob(int column) => _statement.GetBlob(column);

    /// <summary>Ready to run again.</summary>
    public void Reset() => _statement.Reset();

    internal void Free() => _statement.Dispose();
}
