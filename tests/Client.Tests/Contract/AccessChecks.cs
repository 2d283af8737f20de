using System.Data;
using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Every way to a value or to a column, where there is none: before the first row, after the last, in a closed reader, without a result, beyond the last column.</summary>
internal static class AccessChecks
{
    private static readonly (string Name, Action<DbDataReader, int> Get)[] _getters =
    [
        ("GetBoolean", (r, i) => r.GetBoolean(i)), ("GetByte", (r, i) => r.GetByte(i)), ("GetBytes", (r, i) => r.GetBytes(i, 0, new byte[1], 0, 1)), ("GetChar", (r, i) => r.GetChar(i)),
        ("GetChars", (r, i) => r.GetChars(i, 0, new char[1], 0, 1)), ("GetDateTime", (r, i) => r.GetDateTime(i)), ("GetDecimal", (r, i) => r.GetDecimal(i)), ("GetDouble", (r, i) => r.GetDouble(i)),
        ("GetFloat", (r, i) => r.GetFloat(i)), ("GetGuid", (r, i) => r.GetGuid(i)), ("GetInt16", (r, i) => r.GetInt16(i)), ("GetInt32", (r, i) => r.GetInt32(i)), ("GetInt64", (r, i) => r.GetInt64(i)),
        ("GetString", (r, i) => r.GetString(i)), ("GetStream", (r, i) => r.GetStream(i)), ("GetTextReader", (r, i) => r.GetTextReader(i)), ("GetValue", (r, i) => r.GetValue(i)),
        ("GetFieldValue<int>", (r, i) => r.GetFieldValue<int>(i)), ("GetFieldValue<object>", (r, i) => r.GetFieldValue<object>(i)), ("GetFieldValue<DBNull>", (r, i) => r.GetFieldValue<DBNull>(i)),
        ("GetFieldValueAsync", (r, i) => r.GetFieldValueAsync<object>(i).GetAwaiter().GetResult()), ("IsDBNull", (r, i) => r.IsDBNull(i)), ("IsDBNullAsync", (r, i) => r.IsDBNullAsync(i).GetAwaiter().GetResult()),
        ("The indexer", (r, i) => r[i].ToString()),
    ];

    private static readonly (string Name, Action<DbDataReader, int> Ask)[] _columns =
    [
        ("GetName", (r, i) => r.GetName(i)), ("GetFieldType", (r, i) => r.GetFieldType(i)), ("GetDataTypeName", (r, i) => r.GetDataTypeName(i)),
    ];

    public static IEnumerable<ContractCheck> All()
    {
        foreach (var (name, get) in (IEnumerable<(string, Action<DbDataReader, int>)>)[.. _getters, ("GetValues", (r, _) => r.GetValues(new object[1])), ("The indexer by name", (r, i) => r["a"].ToString())])
        {
            yield return new($"{name} before Read", c => { using var r = Contract.Read(c, "SELECT 1 AS a"); Assert.Throws<InvalidOperationException>(() => get(r, 0)); });
            yield return new($"{name} after the last row", c => { using var r = Contract.Read(c, "SELECT 1 AS a"); r.Read(); r.Read(); Assert.Throws<InvalidOperationException>(() => get(r, 0)); });
            yield return new($"{name} in a closed reader", c => { var r = Contract.Read(c, "SELECT 1 AS a"); r.Read(); r.Close(); Assert.Throws<InvalidOperationException>(() => get(r, 0)); });
            yield return new($"{name} between two results", c => { using var r = Contract.Read(c, "SELECT 1 AS a; SELECT 2 AS a"); r.Read(); r.NextResult(); Assert.Throws<InvalidOperationException>(() => get(r, 0)); });
            yield return new($"{name} after a DELETE", c =>
            {
                Contract.Run(c, "CREATE TABLE t (a)");
                using var r = Contract.Read(c, "DELETE FROM t");
                Assert.Throws<InvalidOperationException>(() => get(r, 0));
            });
        }

        foreach (var (name, ask) in _columns)
            yield return new($"{name} after a DELETE", c => { Contract.Run(c, "CREATE TABLE t (a)"); using var r = Contract.Read(c, "DELETE FROM t"); Assert.Throws<InvalidOperationException>(() => ask(r, 0)); });
        yield return new("GetSchemaTable after a DELETE", c => { Contract.Run(c, "CREATE TABLE t (a)"); using var r = Contract.Read(c, "DELETE FROM t"); Assert.Throws<InvalidOperationException>(r.GetSchemaTable); });
        foreach (var (name, get) in (IEnumerable<(string, Action<DbDataReader, int>)>)[.. _getters, .. _columns])
        {
            yield return new($"{name} of a column beyond the last", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); Assert.Throws<IndexOutOfRangeException>(() => get(r, 1)); });
            yield return new($"{name} of a column before the first", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); Assert.Throws<IndexOutOfRangeException>(() => get(r, -1)); });
        }

        yield return new("GetOrdinal of a name that is none", c => { using var r = Contract.Read(c, "SELECT 1 AS a"); Assert.Throws<IndexOutOfRangeException>(() => r.GetOrdinal("b")); });
        yield return new("The indexer of a name that is none", c => { using var r = Contract.Read(c, "SELECT 1 AS a"); r.Read(); Assert.Throws<IndexOutOfRangeException>(() => r["b"]); });
        foreach (var check in Sequential()) yield return check;
        foreach (var check in Parts()) yield return check;
    }

    private static IEnumerable<ContractCheck> Sequential()
    {
        foreach (var (name, get) in _getters)
        {
            yield return new($"SequentialAccess: {name} does not go back", c =>
            {
                using var r = Contract.Read(c, "SELECT tiny, small, number FROM declared WHERE kind = 'one'", CommandBehavior.SequentialAccess);
                r.Read();
                Assert.Equal(1, r.GetInt32(1));
                Assert.Throws<InvalidOperationException>(() => get(r, 0));
                Assert.Equal(1, r.GetInt32(2));
            });
        }

        yield return new("SequentialAccess: columns may be left out", c => { using var r = Contract.Read(c, "SELECT 1, 2, 3", CommandBehavior.SequentialAccess); r.Read(); Assert.Equal(3, r.GetInt32(2)); });
        yield return new("SequentialAccess: IsDBNull, then the value", c => { using var r = Contract.Read(c, "SELECT 1, 2", CommandBehavior.SequentialAccess); r.Read(); Assert.False(r.IsDBNull(1)); Assert.Equal(2, r.GetInt32(1)); });
        yield return new("SequentialAccess: the next row begins anew", c =>
        {
            using var r = Contract.Read(c, "SELECT 1, 2 UNION SELECT 3, 4", CommandBehavior.SequentialAccess);
            r.Read();
            Assert.Equal(2, r.GetInt32(1));
            r.Read();
            Assert.Equal((3, 4), (r.GetInt32(0), r.GetInt32(1)));
        });
        yield return new("SequentialAccess: names and types in any order", c => { using var r = Contract.Read(c, "SELECT 1 AS a, 2 AS b", CommandBehavior.SequentialAccess); r.Read(); r.GetInt32(1); Assert.Equal(("a", 0), (r.GetName(0), r.GetOrdinal("a"))); });
        yield return new("SequentialAccess: GetValues takes all", c => { using var r = Contract.Read(c, "SELECT 1, 'a'", CommandBehavior.SequentialAccess); r.Read(); var v = new object[2]; Assert.Equal(2, r.GetValues(v)); Assert.Equal([1L, "a"], v); });
        yield return new("SequentialAccess: bytes in pieces", c =>
        {
            using var r = Contract.Read(c, "SELECT bytes, tiny FROM declared WHERE kind = 'most'", CommandBehavior.SequentialAccess);
            r.Read();
            var piece = new byte[3];
            Assert.Equal((2L, 1L, 1L, 0L), (r.GetBytes(0, 0, null, 0, 0), r.GetBytes(0, 0, piece, 0, 1), r.GetBytes(0, 1, piece, 1, 2), r.GetBytes(0, 2, piece, 0, 1)));
            Assert.Equal([0xff, 0xff, 0], piece);
            Assert.Throws<InvalidOperationException>(() => r.GetBytes(0, 1, piece, 0, 1));
            Assert.Equal(255, r.GetInt32(1));
        });
        yield return new("SequentialAccess: characters in pieces", c =>
        {
            using var r = Contract.Read(c, "SELECT word, tiny FROM declared WHERE kind = 'most'", CommandBehavior.SequentialAccess);
            r.Read();
            var piece = new char[3];
            Assert.Equal((1L, 1L), (r.GetChars(0, 0, piece, 0, 1), r.GetChars(0, 1, piece, 1, 2)));
            Assert.Equal("ZZ\0", new string(piece));
            Assert.Throws<InvalidOperationException>(() => r.GetChars(0, 1, piece, 0, 1));
            Assert.Equal(255, r.GetInt32(1));
        });
        yield return new("SequentialAccess: a stream ends when the reader goes on", c =>
        {
            using var r = Contract.Read(c, "SELECT bytes, tiny FROM declared WHERE kind = 'most'", CommandBehavior.SequentialAccess);
            r.Read();
            var stream = r.GetStream(0);
            Assert.Equal(255, stream.ReadByte());
            Assert.Equal(255, r.GetInt32(1));
            Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
        });
        yield return new("SequentialAccess: a text reader ends when the reader goes on", c =>
        {
            using var r = Contract.Read(c, "SELECT 'ab' UNION ALL SELECT 'cd'", CommandBehavior.SequentialAccess);
            r.Read();
            var text = r.GetTextReader(0);
            Assert.Equal('a', text.Read());
            Assert.True(r.Read());
            Assert.Throws<ObjectDisposedException>(() => text.Read());
            Assert.Equal("cd", r.GetString(0));
        });
        yield return new("SequentialAccess: what is a stream is no value any more", c => { using var r = Contract.Read(c, "SELECT x'0102'", CommandBehavior.SequentialAccess); r.Read(); using var s = r.GetStream(0); Assert.Throws<InvalidOperationException>(() => r.GetValue(0)); });
        yield return new("SequentialAccess: GetFieldValue<Stream>", c => { using var r = Contract.Read(c, "SELECT x'0102'", CommandBehavior.SequentialAccess); r.Read(); using var s = r.GetFieldValue<Stream>(0); Assert.Equal((1, 2, -1), (s.ReadByte(), s.ReadByte(), s.ReadByte())); });
        yield return new("SequentialAccess with others", c =>
        {
            using var r = Contract.Read(c, "SELECT 1, 2 UNION SELECT 3, 4", CommandBehavior.SequentialAccess | CommandBehavior.SingleRow | CommandBehavior.CloseConnection);
            Assert.True(r.Read());
            Assert.False(r.Read());
            r.Dispose();
            Assert.Equal(ConnectionState.Closed, c.State);
        });
    }

    private static IEnumerable<ContractCheck> Parts()
    {
        foreach (var (what, sql, get) in new (string, string, Func<DbDataReader, long, Array?, int, int, long>)[]
        {
            ("GetBytes", "SELECT x'61626364'", (r, from, buffer, at, length) => r.GetBytes(0, from, (byte[]?)buffer, at, length)),
            ("GetChars", "SELECT 'abcd'", (r, from, buffer, at, length) => r.GetChars(0, from, (char[]?)buffer, at, length)),
        })
        {
            Array Buffer(int size) => what == "GetBytes" ? new byte[size] : new char[size];
            ContractCheck Check(string name, Action<DbDataReader> run) => new($"{what}: {name}", c => { using var r = Contract.Read(c, sql); r.Read(); run(r); });
            yield return Check("the length without a buffer", r => Assert.Equal(4, get(r, 0, null, 0, 0)));
            yield return Check("all", r => Assert.Equal(4, get(r, 0, Buffer(4), 0, 4)));
            yield return Check("into a larger buffer", r => Assert.Equal(4, get(r, 0, Buffer(6), 0, 6)));
            yield return Check("a part in the middle", r =>
            {
                var buffer = Buffer(5);
                Assert.Equal(2, get(r, 1, buffer, 2, 2));
                Assert.Equal([0, 0, 'b', 'c', 0], buffer.Cast<object>().Select(Convert.ToInt32));
            });
            yield return Check("nothing beyond the end", r => Assert.Equal(0, get(r, 6, Buffer(4), 0, 4)));
            yield return Check("nothing at the buffer's end", r => Assert.Equal(0, get(r, 0, Buffer(4), 4, 0)));
            yield return Check("a data offset below 0", r => Assert.ThrowsAny<SystemException>(() => get(r, -1, Buffer(4), 0, 4)));
            yield return Check("a buffer offset below 0", r => Assert.Throws<ArgumentOutOfRangeException>(() => get(r, 0, Buffer(4), -1, 4)));
            yield return Check("a buffer offset beyond the buffer", r => Assert.Throws<ArgumentOutOfRangeException>(() => get(r, 0, Buffer(4), 5, 0)));
            yield return Check("too little room", r => Assert.ThrowsAny<ArgumentException>(() => get(r, 0, Buffer(4), 2, 3)));
        }
    }
}
