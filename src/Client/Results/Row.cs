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
    public object? this[int column] => Kind(column) switch
    {
        SqlKind.Integer => _block[column].Integer(_row),
        SqlKind.Real => _block[column].Real(_row),
        SqlKind.Text => _block[column].Text(_row),
        SqlKind.Blob or SqlKind.InvalidText => _block[column].Blob(_row).ToArray(),
        _ => null,
    };

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

    /// <summary>An integer.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public long GetInt64(int column) => Kind(column) == SqlKind.Integer ? _block[column].Integer(_row) : throw Wrong(column, "an integer");

    /// <summary>A real, or an integer as a real.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public double GetDouble(int column) => Kind(column) switch
    {
        SqlKind.Real => _block[column].Real(_row),
        SqlKind.Integer => _block[column].Integer(_row),
        _ => throw Wrong(column, "a number"),
    };

    /// <summary>Text.</summary>
    /// <exception cref="InvalidCastException">It is something else, or text that is not valid UTF-8 (its bytes: <see cref="GetBytes"/>).</exception>
    public string GetString(int column) => Kind(column) == SqlKind.Text ? _block[column].Text(_row) : throw Wrong(column, "text");

    /// <summary>The bytes of a blob, or of text that is not valid UTF-8; not copied.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public ReadOnlyMemory<byte> GetBytes(int column) =>
        Kind(column) is SqlKind.Blob or SqlKind.InvalidText ? _block[column].Blob(_row) : throw Wrong(column, "a blob");

    /// <summary>The value as <see cref="long"/>, <see cref="int"/>, <see cref="bool"/>, <see cref="double"/>, <see cref="string"/>, <c>byte[]</c> or <see cref="object"/>;
    /// NULL as the default of a type that has null.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public T? Get<T>(int column)
    {
        if (IsNull(column)) return default(T) is null ? default : throw Wrong(column, typeof(T).Name);
        var type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
        object value = type == typeof(object) ? this[column]!
            : type == typeof(long) ? GetInt64(column)
            : type == typeof(int) ? checked((int)GetInt64(column))
            : type == typeof(bool) ? GetInt64(column) != 0
            : type == typeof(double) ? GetDouble(column)
            : type == typeof(string) ? GetString(column)
            : type == typeof(byte[]) ? GetBytes(column).ToArray()
            : throw new NotSupportedException($"{typeof(T)} is no type that a SQLite value has. Use long, int, bool, double, string, byte[] or object.");
        return (T)value;
    }

    /// <summary>All values, as <see cref="this[int]"/> gives them.</summary>
    public object?[] ToArray()
    {
        var values = new object?[FieldCount];
        for (var i = 0; i < values.Length; i++) values[i] = this[i];
        return values;
    }

    private InvalidCastException Wrong(int column, string wanted) =>
        new($"Column '{Columns[column].Name}' holds {Kind(column)} in this row; {wanted} was asked for.");
}
