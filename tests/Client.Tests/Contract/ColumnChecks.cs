using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>A column of each usual declared type, its least, greatest and other values, read in every way in which its type can be read.</summary>
internal static class ColumnChecks
{
    /// <summary>The table that these checks read: made once, before them.</summary>
    public const string Schema = """
        CREATE TABLE declared (kind TEXT PRIMARY KEY, flag BOOL, tiny TINYINT, small SMALLINT, number INT, big INTEGER, single SINGLE, real REAL, price DECIMAL(30, 15), word TEXT, bytes BLOB, moment DATETIME, id GUID);
        INSERT INTO declared VALUES
            ('null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            ('zero', 0, 0, 0, 0, 0, 0, 0, 0, '0', x'00', '2000-01-01', '00000000-0000-0000-0000-000000000000'),
            ('one', 1, 1, 1, 1, 1, 1, 1, 1, '1', x'11', '1111-11-11 11:11:11.111', '11111111-1111-1111-1111-111111111111'),
            ('least', 0, 0, -32768, -2147483648, -9223372036854775808, 1.18e-38, 2.23e-308, 0.000000000000001, '', x'', '0001-01-01', '00000000-0000-0000-0000-000000000001'),
            ('most', 1, 255, 32767, 2147483647, 9223372036854775807, 3.40e38, 1.79e308, 99999999999, 'ZZ', x'FFFF', '9999-12-31 23:59:59.999', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
        """;

    private static readonly string[] _kinds = ["zero", "one", "least", "most"];

    public static IEnumerable<ContractCheck> All() =>
    [
        .. Of("flag", r => r.GetBoolean(0), false, true, false, true),
        .. Of("tiny", r => r.GetByte(0), (byte)0, (byte)1, byte.MinValue, byte.MaxValue),
        .. Of("small", r => r.GetInt16(0), (short)0, (short)1, short.MinValue, short.MaxValue),
        .. Of("number", r => r.GetInt32(0), 0, 1, int.MinValue, int.MaxValue),
        .. Of("big", r => r.GetInt64(0), 0L, 1L, long.MinValue, long.MaxValue),
        .. Of("single", r => r.GetFloat(0), 0f, 1f, 1.18e-38f, 3.40e38f),
        .. Of("real", r => r.GetDouble(0), 0d, 1d, 2.23e-308, 1.79e308),
        .. Of("price", r => r.GetDecimal(0), 0m, 1m, 0.000000000000001m, 99999999999m),
        .. Of("word", r => r.GetString(0), "0", "1", "", "ZZ"),
        .. Of<byte[]>("bytes", r => r.GetFieldValue<byte[]>(0), [0], [0x11], [], [0xff, 0xff]),
        .. Of("moment", r => r.GetDateTime(0), new DateTime(2000, 1, 1), new DateTime(1111, 11, 11, 11, 11, 11, 111), DateTime.MinValue, new DateTime(9999, 12, 31, 23, 59, 59, 999)),
        .. Of("id", r => r.GetGuid(0), Guid.Empty, Guid.Parse("11111111-1111-1111-1111-111111111111"), Guid.Parse("00000000-0000-0000-0000-000000000001"), Guid.Parse("ffffffff-ffff-ffff-ffff-ffffffffffff")),

        // An integer is read by every getter that holds it.
        .. Wider<short>("tiny", r => r.GetInt16(0), 0, 1, 0, 255), .. Wider("tiny", r => r.GetInt32(0), 0, 1, 0, 255), .. Wider("tiny", r => r.GetInt64(0), 0L, 1L, 0L, 255L),
        .. Wider("small", r => r.GetInt32(0), 0, 1, short.MinValue, short.MaxValue), .. Wider("small", r => r.GetInt64(0), 0L, 1L, short.MinValue, short.MaxValue),
        .. Wider("number", r => r.GetInt64(0), 0L, 1L, int.MinValue, int.MaxValue), .. Wider("number", r => r.GetDouble(0), 0d, 1d, int.MinValue, int.MaxValue),
        .. Wider("number", r => r.GetDecimal(0), 0m, 1m, int.MinValue, int.MaxValue), .. Wider("big", r => r.GetDecimal(0), 0m, 1m, long.MinValue, long.MaxValue),
    ];

    private static IEnumerable<ContractCheck> Of<T>(string column, Func<DbDataReader, T> get, params T[] values)
    {
        foreach (var check in Wider(column, get, values)) yield return check;
        for (var i = 0; i < _kinds.Length; i++)
        {
            var (kind, value) = (_kinds[i], values[i]);
            yield return With($"{column}, {kind}: GetValue is of GetFieldType", column, kind, r => Assert.Equal(r.GetFieldType(0), r.GetValue(0).GetType()));
            yield return With($"{column}, {kind}: it is not NULL", column, kind, r => Assert.False(r.IsDBNull(0) || r.IsDBNullAsync(0).GetAwaiter().GetResult()));
            yield return With($"{column}, {kind}: as object", column, kind, r => Assert.Equal(r.GetValue(0), r.GetFieldValue<object>(0)));
            if (value is not ValueType) continue;
            yield return new($"{column}, {kind}: as nullable", c => NullableOf(column, kind, c, value));
            yield return new($"{column}, {kind}: found again by a parameter", c =>
            {
                if (value is float or double or decimal or DateTime or Guid) return; // their form is the provider's
                using var command = Contract.Command(c, $"SELECT count(*) FROM declared WHERE kind = '{kind}' AND {column} = @value");
                Contract.Add(command, "@value", value);
                Assert.Equal(1L, command.ExecuteScalar());
            });
        }

        yield return With($"{column}, null: IsDBNull", column, "null", r => Assert.True(r.IsDBNull(0) && r.IsDBNullAsync(0).GetAwaiter().GetResult()));
        yield return With($"{column}, null: GetValue is DBNull", column, "null", r => Assert.Equal(DBNull.Value, r.GetValue(0)));
        yield return With($"{column}, null: as DBNull", column, "null", r => Assert.Equal(DBNull.Value, r.GetFieldValue<DBNull>(0)));
        yield return With($"{column}, null: its getter throws", column, "null", r => Assert.Throws<InvalidCastException>(() => get(r)));
        if (typeof(T).IsValueType)
            yield return With($"{column}, null: GetFieldValue throws", column, "null", r => Assert.Throws<InvalidCastException>(() => r.GetFieldValue<T>(0)));
    }

    private static IEnumerable<ContractCheck> Wider<T>(string column, Func<DbDataReader, T> get, params T[] values)
    {
        for (var i = 0; i < _kinds.Length; i++)
        {
            var (kind, value) = (_kinds[i], values[i]);
            yield return With($"{column}, {kind} as {typeof(T).Name}: getter", column, kind, r => Assert.Equal(value, get(r)));
            yield return With($"{column}, {kind} as {typeof(T).Name}: GetFieldValue", column, kind, r => Assert.Equal(value, r.GetFieldValue<T>(0)));
            yield return With($"{column}, {kind} as {typeof(T).Name}: GetFieldValueAsync", column, kind, r => Assert.Equal(value, r.GetFieldValueAsync<T>(0).GetAwaiter().GetResult()));
        }
    }

    private static void NullableOf(string column, string kind, DbConnection connection, object value)
    {
        using var reader = Contract.Read(connection, $"SELECT {column} FROM declared WHERE kind = '{kind}'");
        Assert.True(reader.Read());
        object? found = value switch
        {
            bool => reader.GetFieldValue<bool?>(0),
            byte => reader.GetFieldValue<byte?>(0),
            short => reader.GetFieldValue<short?>(0),
            int => reader.GetFieldValue<int?>(0),
            long => reader.GetFieldValue<long?>(0),
            float => reader.GetFieldValue<float?>(0),
            double => reader.GetFieldValue<double?>(0),
            decimal => reader.GetFieldValue<decimal?>(0),
            DateTime => reader.GetFieldValue<DateTime?>(0),
            _ => reader.GetFieldValue<Guid?>(0),
        };
        Assert.Equal(value, found);
    }

    private static ContractCheck With(string name, string column, string kind, Action<DbDataReader> check) => new(name, connection =>
    {
        using var reader = Contract.Read(connection, $"SELECT {column} FROM declared WHERE kind = '{kind}'");
        Assert.True(reader.Read());
        check(reader);
    });
}
