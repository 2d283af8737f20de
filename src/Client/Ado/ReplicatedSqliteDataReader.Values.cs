using System.Data;

namespace ReplicatedSqlite;

/// <content>The values of the current row.</content>
public sealed partial class ReplicatedSqliteDataReader
{
    /// <inheritdoc/>
    public override bool IsDBNull(int ordinal) => Kind(ordinal, out _) == SqlKind.Null;

    /// <inheritdoc/>
    public override bool GetBoolean(int ordinal) => SqlValueReader.Int64(Cell(ordinal, nameof(GetBoolean)), _row, ordinal) != 0;

    /// <inheritdoc/>
    public override byte GetByte(int ordinal) => checked((byte)SqlValueReader.Int64(Cell(ordinal, nameof(GetByte)), _row, ordinal));

    /// <inheritdoc/>
    public override short GetInt16(int ordinal) => checked((short)SqlValueReader.Int64(Cell(ordinal, nameof(GetInt16)), _row, ordinal));

    /// <inheritdoc/>
    public override int GetInt32(int ordinal) => checked((int)SqlValueReader.Int64(Cell(ordinal, nameof(GetInt32)), _row, ordinal));

    /// <inheritdoc/>
    public override long GetInt64(int ordinal) => SqlValueReader.Int64(Cell(ordinal, nameof(GetInt64)), _row, ordinal);

    /// <inheritdoc/>
    public override float GetFloat(int ordinal) => SqlValueReader.Single(Cell(ordinal, nameof(GetFloat)), _row, ordinal);

    /// <inheritdoc/>
    public override double GetDouble(int ordinal) => SqlValueReader.Double(Cell(ordinal, nameof(GetDouble)), _row, ordinal);

    /// <inheritdoc/>
    public override decimal GetDecimal(int ordinal) => SqlValueReader.Decimal(Cell(ordinal, nameof(GetDecimal)), _row, ordinal);

    /// <inheritdoc/>
    public override string GetString(int ordinal) => SqlValueReader.String(Cell(ordinal, nameof(GetString)), _row, ordinal);

    /// <inheritdoc/>
    public override char GetChar(int ordinal) => SqlValueReader.Char(Cell(ordinal, nameof(GetChar)), _row, ordinal);

    /// <inheritdoc/>
    public override Guid GetGuid(int ordinal) => SqlValueReader.Guid(Cell(ordinal, nameof(GetGuid)), _row, ordinal);

    /// <inheritdoc/>
    public override DateTime GetDateTime(int ordinal) => SqlValueReader.DateTime(Cell(ordinal, nameof(GetDateTime)), _row, ordinal);

    /// <summary>A date with its offset; text without one is UTC.</summary>
    public DateTimeOffset GetDateTimeOffset(int ordinal) => SqlValueReader.DateTimeOffset(Cell(ordinal, nameof(GetDateTimeOffset)), _row, ordinal);

    /// <summary>A length of time.</summary>
    public TimeSpan GetTimeSpan(int ordinal) => SqlValueReader.TimeSpan(Cell(ordinal, nameof(GetTimeSpan)), _row, ordinal);

    /// <inheritdoc/>
    public override object GetValue(int ordinal) => SqlValueReader.Object(Cell(ordinal, nameof(GetValue)), _row, ordinal) ?? DBNull.Value;

    /// <inheritdoc/>
    public override int GetValues(object[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (!_isOnRow) throw NoRow(nameof(GetValues));
        var count = Math.Min(values.Length, FieldCount);
        for (var i = 0; i < count; i++) values[i] = GetValue(i);
        return count;
    }

    /// <inheritdoc/>
    public override T GetFieldValue<T>(int ordinal)
    {
        var block = Cell(ordinal, nameof(GetFieldValue));
        if (block[ordinal].Kind(_row) == SqlKind.Null && (typeof(T) == typeof(object) || typeof(T) == typeof(DBNull))) return (T)(object)DBNull.Value;
        if (block[ordinal].Kind(_row) == SqlKind.Null && Nullable.GetUnderlyingType(typeof(T)) is null) throw SqlValueReader.Wrong(block, _row, ordinal, typeof(T).Name);
        var value = SqlValueReader.Get<T>(block, _row, ordinal)!;
        if (_sequence is not null && value is IDisposable and (System.IO.Stream or TextReader)) _sequence.Opened((IDisposable)value);
        return value;
    }

    /// <inheritdoc/>
    public override Task<T> GetFieldValueAsync<T>(int ordinal, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled<T>(cancellationToken) : Task.FromResult(GetFieldValue<T>(ordinal));

    /// <inheritdoc/>
    public override Task<bool> IsDBNullAsync(int ordinal, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled<bool>(cancellationToken) : Task.FromResult(IsDBNull(ordinal));

    /// <inheritdoc/>
    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) =>
        Copy(SqlValueReader.Bytes(Cell(ordinal, nameof(GetBytes)), _row, ordinal).Span, dataOffset, buffer, bufferOffset, length, nameof(GetBytes));

    /// <inheritdoc/>
    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) =>
        Copy(SqlValueReader.String(Cell(ordinal, nameof(GetChars)), _row, ordinal).AsSpan(), dataOffset, buffer, bufferOffset, length, nameof(GetChars));

    /// <summary>The bytes of a blob, or of a text in UTF-8, without a copy of a blob. With <see cref="CommandBehavior.SequentialAccess"/> it ends when the reader goes on.</summary>
    public override Stream GetStream(int ordinal)
    {
        var stream = SqlValueReader.Stream(Cell(ordinal, nameof(GetStream)), _row, ordinal);
        _sequence?.Opened(stream);
        return stream;
    }

    /// <summary>The characters of a text. With <see cref="CommandBehavior.SequentialAccess"/> it ends when the reader goes on.</summary>
    public override TextReader GetTextReader(int ordinal)
    {
        var text = SqlValueReader.TextReader(Cell(ordinal, nameof(GetTextReader)), _row, ordinal);
        _sequence?.Opened(text);
        return text;
    }

    private long Copy<T>(ReadOnlySpan<T> value, long dataOffset, T[]? buffer, int bufferOffset, int length, string what)
    {
        if (buffer is null) return value.Length;
        ArgumentOutOfRangeException.ThrowIfNegative(dataOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(bufferOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bufferOffset, buffer.Length);
        _sequence?.CheckOffset(dataOffset, what);
        if (dataOffset >= value.Length) return 0;
        var rest = value[(int)dataOffset..];
        var count = Math.Min(rest.Length, length);
        if (count > buffer.Length - bufferOffset)
            throw new ArgumentException($"{count} are to be copied, and the buffer has room for {buffer.Length - bufferOffset} from {bufferOffset} on.", nameof(buffer));
        rest[..count].CopyTo(buffer.AsSpan(bufferOffset));
        _sequence?.Read(dataOffset + count);
        return count;
    }

    private RowBlock Cell(int ordinal, string what)
    {
        if (!_isOnRow) throw NoRow(what);
        Check(ordinal);
        _sequence?.GoTo(ordinal, what);
        return _block!;
    }

    private SqlKind Kind(int ordinal, out RowBlock block)
    {
        block = Cell(ordinal, nameof(IsDBNull));
        return block[ordinal].Kind(_row);
    }
}
