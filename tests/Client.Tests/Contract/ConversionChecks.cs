using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Every getter on every kind of value: what ADO.NET's documentation promises (a value, <see cref="InvalidCastException"/>, <see cref="OverflowException"/>).</summary>
internal static class ConversionChecks
{
    private static readonly (string Sql, object? Value)[] _values =
    [
        ("NULL", null), ("0", 0L), ("1", 1L), ("200", 200L), ("-1", -1L), ("40000", 40_000L), ("3000000000", 3_000_000_000L), ("9223372036854775807", long.MaxValue),
        ("-9223372036854775807 - 1", long.MinValue), ("1.5", 1.5), ("2.0", 2.0), ("1e300", 1e300), ("'abc'", "abc"), ("''", ""), ("'12'", "12"), ("x'0102'", new byte[] { 1, 2 }), ("x''", Array.Empty<byte>()),
        ("'0f8fad5b-d9cb-469f-a165-70867728950e'", "0f8fad5b-d9cb-469f-a165-70867728950e"), ("'2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
    ];

    private static readonly (Type Type, Func<DbDataReader, object> Get, Func<DbDataReader, object> GetField, Func<DbDataReader, object> GetFieldAsync)[] _getters =
    [
        Of<bool>(reader => reader.GetBoolean(0)), Of<byte>(reader => reader.GetByte(0)), Of<short>(reader => reader.GetInt16(0)), Of<int>(reader => reader.GetInt32(0)), Of<long>(reader => reader.GetInt64(0)),
        Of<float>(reader => reader.GetFloat(0)), Of<double>(reader => reader.GetDouble(0)), Of<decimal>(reader => reader.GetDecimal(0)), Of<string>(reader => reader.GetString(0)),
        Of<char>(reader => reader.GetChar(0)), Of<Guid>(reader => reader.GetGuid(0)), Of<DateTime>(reader => reader.GetDateTime(0)), Of<byte[]>(reader => reader.GetFieldValue<byte[]>(0)),
        Of<sbyte>(reader => reader.GetFieldValue<sbyte>(0)), Of<ushort>(reader => reader.GetFieldValue<ushort>(0)), Of<uint>(reader => reader.GetFieldValue<uint>(0)),
        Of<DateTimeOffset>(reader => reader.GetFieldValue<DateTimeOffset>(0)), Of<TimeSpan>(reader => reader.GetFieldValue<TimeSpan>(0)), Of<DateOnly>(reader => reader.GetFieldValue<DateOnly>(0)),
    ];

    public static IEnumerable<ContractCheck> All()
    {
        foreach (var (sql, value) in _values)
        {
            foreach (var (type, get, getField, getFieldAsync) in _getters)
            {
                if (Expected(value, type) is not { } expected) continue; // left to the provider
                yield return new($"Get {type.Name} of {sql}", connection => Compare(connection, sql, get, expected));
                yield return new($"GetFieldValue<{type.Name}> of {sql}", connection => Compare(connection, sql, getField, expected));
                yield return new($"GetFieldValueAsync<{type.Name}> of {sql}", connection => Compare(connection, sql, getFieldAsync, expected));
            }

            yield return new($"GetValue of {sql}", connection => Compare(connection, sql, reader => reader.GetValue(0), value ?? DBNull.Value));
            yield return new($"Indexer of {sql}", connection => Compare(connection, sql, reader => reader[0], value ?? DBNull.Value));
            yield return new($"GetFieldValue<object> of {sql}", connection => Compare(connection, sql, reader => reader.GetFieldValue<object>(0), value ?? DBNull.Value));
            yield return new($"IsDBNull of {sql}", connection => Compare(connection, sql, reader => reader.IsDBNull(0), value is null));
            yield return new($"GetFieldType of {sql}", connection => Compare(connection, sql, reader => reader.GetFieldType(0), (value ?? Array.Empty<byte>()).GetType()));
            if (value is null) yield return new("GetFieldValue<long?> of NULL is null", connection => Compare(connection, sql, reader => (object?)reader.GetFieldValue<long?>(0) ?? "null", "null"));
        }
    }

    private static object? Expected(object? value, Type type) => (value, type) switch
    {
        (null, _) => typeof(InvalidCastException),
        (long v, _) when type == typeof(bool) => v != 0,
        (long v, _) when Range(type) is { } range => v >= range.Least && v <= range.Most ? Convert.ChangeType(v, type, null) : typeof(OverflowException),
        (long v, _) when type == typeof(double) => (double)v,
        (long v, _) when type == typeof(float) => (float)v,
        (long v, _) when type == typeof(decimal) => (decimal)v,
        (long, _) when type == typeof(Guid) || type == typeof(byte[]) => typeof(InvalidCastException),
        (double v, _) when type == typeof(double) => v,
        (double v, _) when type == typeof(float) => v > float.MaxValue ? typeof(OverflowException) : (float)v,
        (double v, _) when type == typeof(decimal) => v > 1e28 ? typeof(OverflowException) : (decimal)v,
        (double v, _) when Range(type) is not null && v != Math.Truncate(v) => typeof(InvalidCastException),
        (double, _) when type == typeof(Guid) || type == typeof(byte[]) => typeof(InvalidCastException),
        (string v, _) when type == typeof(string) => v,
        (string v, _) when v == "12" => null, // numbers as text are SQLite's own affair
        (string v, _) when type == typeof(Guid) => Guid.TryParse(v, out var guid) ? guid : typeof(InvalidCastException),
        (string v, _) when type == typeof(DateTime) => DateTime.TryParse(v, out var time) ? time : typeof(InvalidCastException),
        (string v, _) when type == typeof(DateTimeOffset) || type == typeof(DateOnly) => v.StartsWith("2026", StringComparison.Ordinal) ? null : typeof(InvalidCastException),
        (string, _) when type == typeof(byte[]) => null,
        (string, _) => typeof(InvalidCastException),
        (byte[] v, _) when type == typeof(byte[]) => v,
        (byte[], _) when type == typeof(string) => null,
        (byte[], _) => typeof(InvalidCastException),
        _ => null,
    };

    private static (decimal Least, decimal Most)? Range(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Byte => (0, byte.MaxValue),
        TypeCode.SByte => (sbyte.MinValue, sbyte.MaxValue),
        TypeCode.Int16 => (short.MinValue, short.MaxValue),
        TypeCode.UInt16 => (0, ushort.MaxValue),
        TypeCode.Int32 => (int.MinValue, int.MaxValue),
        TypeCode.UInt32 => (0, uint.MaxValue),
        TypeCode.Int64 => (long.MinValue, long.MaxValue),
        _ => null,
    };

    private static void Compare(DbConnection connection, string sql, Func<DbDataReader, object> get, object expected)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {sql}";
        using var reader = command.ExecuteReader();
        Assert.True(reader.Read());
        if (expected is Type { IsClass: true } exception && exception.IsAssignableTo(typeof(Exception))) Assert.Throws(exception, () => get(reader));
        else Assert.Equal(expected, get(reader));
    }

    private static (Type, Func<DbDataReader, object>, Func<DbDataReader, object>, Func<DbDataReader, object>) Of<T>(Func<DbDataReader, object> get) =>
        (typeof(T), get, reader => reader.GetFieldValue<T>(0)!, reader => reader.GetFieldValueAsync<T>(0).GetAwaiter().GetResult()!);
}
