namespace ReplicatedSqlite;

/// <summary>One row of a result. It keeps the batch that it came in alive.</summary>
public readonly struct Row
{
    private readonly RowBlock _block;
    private readonly int _row;

    internal Row(RowBlock block, int row)
    {
        _block = block;
        _row = row;
    }

    /// <summary>The columns of the result.</summary>
    public ResultColumns Columns => _block.Columns;

    /// <summary>Number of columns.</summary>
    public int FieldCount => _block.Columns.Count;

    /// <summary>The value as null, <see cref="long"/>, <see cref="double"/>, <see cref="string"/> or <c>byte[]</c> (blobs, and text that is not valid UTF-8).</summary>
    public object? this[int column] => SqlValueReader.Object(Check(column), _row, column);

    /// <summary>The value of a column by its name.</summary>
    public object? this[string column] => this[Columns.IndexOf(column)];

    /// <summary>What kind of value it is: in SQLite a matter of the value, not of the column.</summary>
    public SqlKind Kind(int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)FieldCount, nameof(column));
        return _block[column].Kind(_row);
    }

    /// <summary>Whether it is NULL.</summary>
    public bool IsNull(int column) => Kind(column) == SqlKind.Null;

    /// <summary>An integer; also a real without a fraction, and text that is one.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public long GetInt64(int column) => SqlValueReader.Int64(Check(column), _row, column);

    /// <summary>A number; also text that is one.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public double GetDouble(int column) => SqlValueReader.Double(Check(column), _row, column);

    /// <summary>Text; numbers in SQLite's own form; bytes read as UTF-8.</summary>
    /// <exception cref="InvalidCastException">It is NULL.</exception>
    public string GetString(int column) => SqlValueReader.String(Check(column), _row, column);

    /// <summary>The bytes of a blob, not copied; or those of a text.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public ReadOnlyMemory<byte> GetBytes(int column) => SqlValueReader.Bytes(Check(column), _row, column);

    /// <summary>The value as a number, <see cref="bool"/>, <see cref="string"/>, <c>byte[]</c>, <see cref="Guid"/>, a date or time type, an enum or <see cref="object"/>;
    /// NULL as the default of a type that has null.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public T? Get<T>(int column) => SqlValueReader.Get<T>(Check(column), _row, column);

    /// <summary>All values, as <see cref="this[int]"/> gives them.</summary>
    public object?[] ToArray()
    {
        var values = new object?[FieldCount];
        for (var i = 0; i < values.Length; i++) values[i] = this[i];
        return values;
    }

    internal object? Get(int column, Type type) => IsNull(column) ? null : SqlValueReader.Get(type, _block, _row, column);

    private RowBlock Check(int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)FieldCount, nameof(column));
        return _block;
    }
}
