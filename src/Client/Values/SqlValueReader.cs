using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ReplicatedSqlite;

/// <summary>Turns the cells of a batch into .NET values, by the rules of Microsoft.Data.Sqlite, but never losing anything in silence.</summary>
/// <remarks>
/// SQLite's types belong to values, not to columns. What has a documented form in another storage class is read from it (dates as text or as Julian
/// days, numbers written as text); what has none, or does not fit, is an <see cref="InvalidCastException"/> or <see cref="OverflowException"/>.
/// </remarks>
internal static class SqlValueReader
{
    private const NumberStyles DecimalStyle = NumberStyles.Number | NumberStyles.AllowExponent;

    public static long Int64(RowBlock block, int row, int column)
    {
        var vector = block[column];
        switch (vector.Kind(row))
        {
            case SqlKind.Integer:
                return vector.Integer(row);
            case SqlKind.Real when vector.Real(row) is >= -9223372036854775808.0 and < 9223372036854775808.0 and var real && real == Math.Truncate(real):
                return (long)real;
            case SqlKind.Text when long.TryParse(vector.Text(row), NumberStyles.Integer, CultureInfo.InvariantCulture, out var parsed):
                return parsed;
            default:
                throw Wrong(block, row, column, "an integer");
        }
    }

    public static double Double(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Real => vector.Real(row),
            SqlKind.Integer => vector.Integer(row),
            SqlKind.Text when double.TryParse(vector.Text(row), NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => throw Wrong(block, row, column, "a number"),
        };
    }

    public static float Single(RowBlock block, int row, int column)
    {
        var value = Double(block, row, column);
        var single = (float)value;
        return float.IsInfinity(single) && !double.IsInfinity(value) ? throw new OverflowException($"{value} does not fit into a Single.") : single;
    }

    public static decimal Decimal(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Integer => vector.Integer(row),
            SqlKind.Real => (decimal)vector.Real(row),
            SqlKind.Text when decimal.TryParse(vector.Text(row), DecimalStyle, CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => throw Wrong(block, row, column, "a decimal"),
        };
    }

    public static string String(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Text => vector.Text(row),
            SqlKind.Integer => vector.Integer(row).ToString(CultureInfo.InvariantCulture),
            SqlKind.Real => RealText(vector.Real(row)),
            SqlKind.Blob or SqlKind.InvalidText => Encoding.UTF8.GetString(vector.Blob(row).Span),
            _ => throw Wrong(block, row, column, "text"),
        };
    }

    public static char Char(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Text when vector.Text(row) is [var only] => only,
            SqlKind.Integer => checked((char)vector.Integer(row)),
            _ => throw Wrong(block, row, column, "one character"),
        };
    }

    /// <summary>The bytes of a blob, or the UTF-8 of a text.</summary>
    public static ReadOnlyMemory<byte> Bytes(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Blob or SqlKind.InvalidText => vector.Blob(row),
            SqlKind.Text => Encoding.UTF8.GetBytes(vector.Text(row)),
            _ => throw Wrong(block, row, column, "a blob"),
        };
    }

    public static Guid Guid(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Blob when vector.Blob(row) is { Length: 16 } bytes => new Guid(bytes.Span),
            SqlKind.Blob when System.Guid.TryParse(Encoding.UTF8.GetString(vector.Blob(row).Span), out var parsed) => parsed,
            SqlKind.Text when System.Guid.TryParse(vector.Text(row), out var parsed) => parsed,
            _ => throw Wrong(block, row, column, "a Guid (text or 16 bytes)"),
        };
    }

    /// <summary>Text with an offset is given in UTC, as Microsoft.Data.Sqlite does since 10.0.</summary>
    public static DateTime DateTime(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Text when System.DateTime.TryParse(vector.Text(row), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var parsed) => parsed,
            SqlKind.Real or SqlKind.Integer => JulianDay.ToDateTime(Double(block, row, column)),
            _ => throw Wrong(block, row, column, "a date (text or a Julian day)"),
        };
    }

    /// <summary>Text without an offset is taken as UTC, as Microsoft.Data.Sqlite does since 10.0.</summary>
    public static DateTimeOffset DateTimeOffset(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Text when System.DateTimeOffset.TryParse(vector.Text(row), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed) => parsed,
            SqlKind.Real or SqlKind.Integer => new DateTimeOffset(JulianDay.ToDateTime(Double(block, row, column)), System.TimeSpan.Zero),
            _ => throw Wrong(block, row, column, "a date (text or a Julian day)"),
        };
    }

    public static DateOnly DateOnly(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) == SqlKind.Text && System.DateOnly.TryParse(vector.Text(row), CultureInfo.InvariantCulture, out var parsed)
            ? parsed
            : System.DateOnly.FromDateTime(DateTime(block, row, column));
    }

    public static TimeOnly TimeOnly(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) == SqlKind.Text && System.TimeOnly.TryParse(vector.Text(row), CultureInfo.InvariantCulture, out var parsed)
            ? parsed
            : System.TimeOnly.FromDateTime(DateTime(block, row, column));
    }

    public static TimeSpan TimeSpan(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Text when System.TimeSpan.TryParse(vector.Text(row), CultureInfo.InvariantCulture, out var parsed) => parsed,
            SqlKind.Real or SqlKind.Integer => System.TimeSpan.FromDays(Double(block, row, column)),
            _ => throw Wrong(block, row, column, "a time (text or days)"),
        };
    }

    /// <summary>The value in its own class: <see cref="long"/>, <see cref="double"/>, <see cref="string"/>, <c>byte[]</c>; null for NULL.</summary>
    public static object? Object(RowBlock block, int row, int column)
    {
        var vector = block[column];
        return vector.Kind(row) switch
        {
            SqlKind.Integer => vector.Integer(row),
            SqlKind.Real => vector.Real(row),
            SqlKind.Text => vector.Text(row),
            SqlKind.Blob or SqlKind.InvalidText => vector.Blob(row).ToArray(),
            _ => null,
        };
    }

    /// <summary>The value as <typeparamref name="T"/>. NULL only where the type has null.</summary>
    public static T? Get<T>(RowBlock block, int row, int column)
    {
        if (block[column].Kind(row) == SqlKind.Null && default(T) is null && typeof(T) != typeof(DBNull)) return default;

        // Each comparison is decided by the JIT, and none of these casts boxes.
        if (typeof(T) == typeof(long)) return (T)(object)Int64(block, row, column);
        if (typeof(T) == typeof(int)) return (T)(object)checked((int)Int64(block, row, column));
        if (typeof(T) == typeof(string)) return (T)(object)String(block, row, column);
        if (typeof(T) == typeof(double)) return (T)(object)Double(block, row, column);
        if (typeof(T) == typeof(bool)) return (T)(object)(Int64(block, row, column) != 0);
        if (typeof(T) == typeof(byte[])) return (T)(object)Bytes(block, row, column).ToArray();
        if (typeof(T) == typeof(DateTime)) return (T)(object)DateTime(block, row, column);
        if (typeof(T) == typeof(Guid)) return (T)(object)Guid(block, row, column);
        if (typeof(T) == typeof(decimal)) return (T)(object)Decimal(block, row, column);
        return (T)Get(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T), block, row, column);
    }

    /// <summary>The value as a type that is known at run time only. Not for NULL.</summary>
    public static object Get(Type type, RowBlock block, int row, int column)
    {
        if (type.IsEnum) return EnumOf(type, block, row, column);
        switch (Type.GetTypeCode(type))
        {
            case TypeCode.Int64: return Int64(block, row, column);
            case TypeCode.Int32: return checked((int)Int64(block, row, column));
            case TypeCode.Int16: return checked((short)Int64(block, row, column));
            case TypeCode.SByte: return checked((sbyte)Int64(block, row, column));
            case TypeCode.Byte: return checked((byte)Int64(block, row, column));
            case TypeCode.UInt16: return checked((ushort)Int64(block, row, column));
            case TypeCode.UInt32: return checked((uint)Int64(block, row, column));
            case TypeCode.UInt64: return unchecked((ulong)Int64(block, row, column)); // stored as the signed integer of the same bits
            case TypeCode.Boolean: return Int64(block, row, column) != 0;
            case TypeCode.Double: return Double(block, row, column);
            case TypeCode.Single: return Single(block, row, column);
            case TypeCode.Decimal: return Decimal(block, row, column);
            case TypeCode.String: return String(block, row, column);
            case TypeCode.Char: return Char(block, row, column);
            case TypeCode.DateTime: return DateTime(block, row, column);
        }

        if (block[column].Kind(row) == SqlKind.Null) throw Wrong(block, row, column, type.Name);
        return type == typeof(object) ? Object(block, row, column)!
            : type == typeof(byte[]) ? Bytes(block, row, column).ToArray()
            : type == typeof(Guid) ? Guid(block, row, column)
            : type == typeof(DateTimeOffset) ? DateTimeOffset(block, row, column)
            : type == typeof(DateOnly) ? DateOnly(block, row, column)
            : type == typeof(TimeOnly) ? TimeOnly(block, row, column)
            : type == typeof(TimeSpan) ? TimeSpan(block, row, column)
            : type == typeof(ReadOnlyMemory<byte>) ? Bytes(block, row, column)
            : type == typeof(Memory<byte>) ? new Memory<byte>(Bytes(block, row, column).ToArray())
            : typeof(Stream).IsAssignableFrom(type) && type.IsAssignableFrom(typeof(MemoryStream)) ? Stream(block, row, column)
            : type.IsAssignableFrom(typeof(StringReader)) ? TextReader(block, row, column)
            : throw new InvalidCastException($"{type} is no type that a SQLite value is read as. Use a number, bool, string, byte[], Guid, a date or time type, an enum, Stream, TextReader or object.");
    }

    /// <summary>Reads the bytes where they are.</summary>
    public static MemoryStream Stream(RowBlock block, int row, int column) =>
        MemoryMarshal.TryGetArray(Bytes(block, row, column), out var array) ? new(array.Array!, array.Offset, array.Count, writable: false) : new(Bytes(block, row, column).ToArray(), writable: false);

    public static TextReader TextReader(RowBlock block, int row, int column) => block[column].Kind(row) == SqlKind.Blob
        ? new System.IO.StreamReader(Stream(block, row, column), Encoding.UTF8)
        : new StringReader(String(block, row, column));

    public static InvalidCastException Wrong(RowBlock block, int row, int column, string wanted) => new(
        block[column].Kind(row) == SqlKind.Null
            ? $"Column '{block.Columns[column].Name}' holds NULL in this row; {wanted} was asked for. Ask IsDBNull first, or for a nullable type."
            : $"Column '{block.Columns[column].Name}' holds {block[column].Kind(row)} in this row, which cannot be read as {wanted}.");

    private static object EnumOf(Type type, RowBlock block, int row, int column)
    {
        if (block[column].Kind(row) == SqlKind.Text && Enum.TryParse(type, block[column].Text(row), ignoreCase: true, out var named)) return named;
        var number = Int64(block, row, column);
        return Enum.GetUnderlyingType(type) == typeof(ulong) ? Enum.ToObject(type, unchecked((ulong)number)) : Enum.ToObject(type, number);
    }

    // As SQLite writes a real: always with a point or an exponent.
    private static string RealText(double value)
    {
        if (double.IsInfinity(value)) return value > 0 ? "Inf" : "-Inf";
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0";
    }
}
