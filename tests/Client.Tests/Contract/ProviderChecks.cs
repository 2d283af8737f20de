using System.Data;
using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Connection states, commands, parameters, readers, behaviours, disposal, transactions.</summary>
internal static class ProviderChecks
{
    public static IEnumerable<ContractCheck> All()
    {
        foreach (var check in Connections()) yield return check;
        foreach (var check in Commands()) yield return check;
        foreach (var check in Parameters()) yield return check;
        foreach (var check in Readers()) yield return check;
        foreach (var check in Transactions()) yield return check;
    }

    private static IEnumerable<ContractCheck> Connections()
    {
        yield return new("State is Open", c => Assert.Equal(ConnectionState.Open, c.State));
        yield return new("Open twice throws", c => Assert.Throws<InvalidOperationException>(c.Open));
        yield return new("Close twice is nothing", c => { c.Close(); c.Close(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("Open after Close works", c => { c.Close(); c.Open(); Assert.Equal(1L, Contract.Scalar(c, "SELECT 1")); });
        yield return new("StateChange is told of Close", c =>
        {
            var told = new List<ConnectionState>();
            c.StateChange += (_, change) => told.Add(change.CurrentState);
            c.Close();
            c.Close();
            Assert.Equal([ConnectionState.Closed], told);
        });
        yield return new("ConnectionString cannot be set while open", c => Assert.Throws<InvalidOperationException>(() => c.ConnectionString = ""));
        yield return new("ServerVersion is there", c => Assert.NotEmpty(c.ServerVersion));
        yield return new("ServerVersion throws while closed", c => { c.Close(); Assert.Throws<InvalidOperationException>(() => c.ServerVersion); });
        yield return new("BeginTransaction throws while closed", c => { c.Close(); Assert.Throws<InvalidOperationException>(() => c.BeginTransaction()); });
        yield return new("CreateCommand is of this connection", c => Assert.Same(c, c.CreateCommand().Connection));
        yield return new("GetSchema lists its collections", c => Assert.Contains(c.GetSchema().Rows.Cast<DataRow>(), row => (string)row[0] == "MetaDataCollections"));
        yield return new("GetSchema throws for what is not there", c => Assert.Throws<ArgumentException>(() => c.GetSchema("Nowhere")));
        yield return new("GetSchema throws while closed", c => { c.Close(); Assert.Throws<InvalidOperationException>(() => c.GetSchema("MetaDataCollections")); });
        yield return new("GetSchema tells reserved words", c => Assert.Contains(c.GetSchema("ReservedWords").Rows.Cast<DataRow>(), row => (string)row[0] == "SELECT"));
        yield return new("GetSchema tells tables", c => { Contract.Run(c, "CREATE TABLE seen (a)"); Assert.Contains(c.GetSchema("Tables").Rows.Cast<DataRow>(), row => (string)row["TABLE_NAME"] == "seen"); });
        yield return new("GetSchema tells columns, restricted", c =>
        {
            Contract.Run(c, "CREATE TABLE seen (a, b INTEGER NOT NULL); CREATE TABLE other (c)");
            Assert.Equal(["a", "b"], c.GetSchema("Columns", [null, null, "seen"]).Rows.Cast<DataRow>().Select(row => row["COLUMN_NAME"]));
        });
        yield return new("A factory is there", c => Assert.NotNull(DbProviderFactories.GetFactory(c)));
        yield return new("CreateBatch works", c => Assert.NotNull(c.CreateBatch()));
        yield return new("Disposed means closed", c => { c.Dispose(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("Opening cancelled throws", c => { c.Close(); Assert.ThrowsAny<OperationCanceledException>(() => c.OpenAsync(new CancellationToken(true)).GetAwaiter().GetResult()); });
        yield return new("An ambient transaction is not passed over in silence", c =>
        {
            c.Close();
            using var scope = new System.Transactions.TransactionScope();
            Assert.ThrowsAny<Exception>(c.Open);
        });
    }

    private static IEnumerable<ContractCheck> Commands()
    {
        foreach (var (name, run) in new (string, Action<DbCommand>)[]
        {
            ("ExecuteNonQuery", x => x.ExecuteNonQuery()), ("ExecuteScalar", x => x.ExecuteScalar()), ("ExecuteReader", x => x.ExecuteReader().Dispose()), ("Prepare", x => x.Prepare()),
        })
        {
            yield return new($"{name} throws without connection", c => { using var x = Contract.Command(c, "SELECT 1"); x.Connection = null; Assert.Throws<InvalidOperationException>(() => run(x)); });
            yield return new($"{name} throws while closed", c => { using var x = Contract.Command(c, "SELECT 1"); c.Close(); Assert.Throws<InvalidOperationException>(() => run(x)); });
            yield return new($"{name} throws without text", c => { using var x = c.CreateCommand(); Assert.Throws<InvalidOperationException>(() => run(x)); });
            if (name == "Prepare") continue;
            yield return new($"{name} throws a DbException for wrong SQL", c => { using var x = Contract.Command(c, "SELEKT"); Assert.ThrowsAny<DbException>(() => run(x)); });
            yield return new($"{name} throws while a reader of it is open", c =>
            {
                using var x = Contract.Command(c, "SELECT 1");
                using var reader = x.ExecuteReader();
                Assert.Throws<InvalidOperationException>(() => run(x));
            });
        }

        yield return new("CommandText is empty at first", c => Assert.Equal("", c.CreateCommand().CommandText));
        yield return new("CommandText null is empty", c => { using var x = c.CreateCommand(); x.CommandText = null; Assert.Equal("", x.CommandText); });
        yield return new("CommandText cannot be set while a reader is open", c => { using var x = Contract.Command(c, "SELECT 1"); using var r = x.ExecuteReader(); Assert.Throws<InvalidOperationException>(() => x.CommandText = "SELECT 2"); });
        yield return new("Connection cannot be set while a reader is open", c => { using var x = Contract.Command(c, "SELECT 1"); using var r = x.ExecuteReader(); Assert.Throws<InvalidOperationException>(() => x.Connection = null); });
        yield return new("CommandType is Text", c => Assert.Equal(CommandType.Text, c.CreateCommand().CommandType));
        yield return new("CommandType StoredProcedure is refused", c => Assert.ThrowsAny<ArgumentException>(() => c.CreateCommand().CommandType = CommandType.StoredProcedure));
        yield return new("CommandTimeout is 30", c => Assert.Equal(30, c.CreateCommand().CommandTimeout));
        yield return new("CommandTimeout below 0 is refused", c => Assert.ThrowsAny<ArgumentException>(() => c.CreateCommand().CommandTimeout = -1));
        yield return new("Parameters are made at once and stay", c => { using var x = c.CreateCommand(); Assert.Same(x.Parameters, x.Parameters); });
        yield return new("ExecuteNonQuery of SELECT is -1", c => { using var x = Contract.Command(c, "SELECT 1"); Assert.Equal(-1, x.ExecuteNonQuery()); });
        yield return new("ExecuteNonQuery counts rows", c => { Contract.Run(c, "CREATE TABLE t (x)"); using var x = Contract.Command(c, "INSERT INTO t VALUES (1), (2)"); Assert.Equal(2, x.ExecuteNonQuery()); });
        yield return new("ExecuteNonQuery of nothing changed is 0", c => { Contract.Run(c, "CREATE TABLE t (x)"); using var x = Contract.Command(c, "DELETE FROM t"); Assert.Equal(0, x.ExecuteNonQuery()); });
        yield return new("ExecuteNonQuery adds up statements", c => { using var x = Contract.Command(c, "CREATE TABLE t (x); INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)"); Assert.Equal(2, x.ExecuteNonQuery()); });
        yield return new("ExecuteScalar without rows is null", c => Assert.Null(Contract.Scalar(c, "SELECT 1 WHERE 0")));
        yield return new("ExecuteScalar of NULL is DBNull", c => Assert.Equal(DBNull.Value, Contract.Scalar(c, "SELECT NULL")));
        yield return new("ExecuteScalar takes the first column of the first row", c => Assert.Equal(1L, Contract.Scalar(c, "SELECT 1, 2 UNION ALL SELECT 3, 4")));
        yield return new("ExecuteScalar passes over statements without columns", c => Assert.Equal(5L, Contract.Scalar(c, "CREATE TABLE t (x); INSERT INTO t VALUES (5); SELECT x FROM t")));
        yield return new("ExecuteScalar without any columns is null", c => Assert.Null(Contract.Scalar(c, "CREATE TABLE t (x)")));
        yield return new("Cancelled before it begins throws", c => { using var x = Contract.Command(c, "SELECT 1"); Assert.ThrowsAny<OperationCanceledException>(() => x.ExecuteScalarAsync(new CancellationToken(true)).GetAwaiter().GetResult()); });
        yield return new("Cancel without execution is nothing", c => { using var x = Contract.Command(c, "SELECT 1"); x.Cancel(); Assert.Equal(1L, x.ExecuteScalar()); });
        yield return new("Commands run again after Dispose of a reader", c => { using var x = Contract.Command(c, "SELECT 1"); x.ExecuteReader().Dispose(); Assert.Equal(1L, x.ExecuteScalar()); });
        yield return new("A running statement can be cancelled", c =>
        {
            using var x = Contract.Command(c, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT count(*) FROM n");
            using var soon = new CancellationTokenSource(50);
            Assert.ThrowsAny<Exception>(() => x.ExecuteScalarAsync(soon.Token).GetAwaiter().GetResult());
        });
    }

    private static IEnumerable<ContractCheck> Parameters()
    {
        yield return new("Defaults of a parameter", c =>
        {
            var p = c.CreateCommand().CreateParameter();
            Assert.Equal((DbType.String, ParameterDirection.Input, "", "", false), (p.DbType, p.Direction, p.ParameterName, p.SourceColumn, p.IsNullable));
            Assert.Null(p.Value);
        });
        yield return new("Name null is empty", c => { var p = c.CreateCommand().CreateParameter(); p.ParameterName = null; Assert.Equal("", p.ParameterName); });
        yield return new("Output is refused", c => Assert.ThrowsAny<ArgumentException>(() => c.CreateCommand().CreateParameter().Direction = ParameterDirection.Output));
        yield return new("Size below -1 is refused", c => Assert.ThrowsAny<ArgumentException>(() => c.CreateCommand().CreateParameter().Size = -2));
        yield return new("DbType is kept", c => { var p = c.CreateCommand().CreateParameter(); p.DbType = DbType.Int32; Assert.Equal(DbType.Int32, p.DbType); p.ResetDbType(); Assert.Equal(DbType.String, p.DbType); });
        yield return new("A value without a name in the SQL is passed over", c => { using var x = Contract.Command(c, "SELECT 1"); Contract.Add(x, "@unused", 5); Assert.Equal(1L, x.ExecuteScalar()); });
        yield return new("A missing value throws", c => { using var x = Contract.Command(c, "SELECT @a"); Assert.ThrowsAny<Exception>(() => x.ExecuteScalar()); });
        yield return new("A value that is not set throws", c => { using var x = Contract.Command(c, "SELECT @a"); Contract.Add(x, "@a", null); Assert.Throws<InvalidOperationException>(() => x.ExecuteScalar()); });
        foreach (var prefix in new[] { "@", "$", ":" })
        {
            yield return new($"Named with {prefix}", c => { using var x = Contract.Command(c, $"SELECT {prefix}a"); Contract.Add(x, prefix + "a", 5); Assert.Equal(5L, x.ExecuteScalar()); });
            yield return new($"Named with {prefix}, given without", c => { using var x = Contract.Command(c, $"SELECT {prefix}a"); Contract.Add(x, "a", 5); Assert.Equal(5L, x.ExecuteScalar()); });
        }

        yield return new("By place", c => { using var x = Contract.Command(c, "SELECT ? - ?"); Contract.Add(x, "", 7); Contract.Add(x, "", 5); Assert.Equal(2L, x.ExecuteScalar()); });
        yield return new("Used twice", c => { using var x = Contract.Command(c, "SELECT @a + @a"); Contract.Add(x, "@a", 5); Assert.Equal(10L, x.ExecuteScalar()); });
        yield return new("In a string it is none", c => Assert.Equal("@a", Contract.Scalar(c, "SELECT '@a' /* @b */ -- @c")));
        yield return new("Size cuts text", c => { using var x = Contract.Command(c, "SELECT @a"); Contract.Add(x, "@a", "abcdef").Size = 3; Assert.Equal("abc", x.ExecuteScalar()); });
        foreach (var (value, stored) in new (object, object)[]
        {
            (true, 1L), ((byte)1, 1L), ((short)2, 2L), (3, 3L), (4L, 4L), (ulong.MaxValue, -1L), (1.5f, 1.5), (2.5, 2.5), (3.50m, "3.5"), ("text", "text"), ('c', "c"), (DBNull.Value, DBNull.Value),
            (DayOfWeek.Friday, 5L), (new byte[] { 1, 2 }, new byte[] { 1, 2 }), (new DateTime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"), (new DateOnly(2026, 1, 2), "2026-01-02"), (new TimeOnly(3, 4, 5), "03:04:05"),
            (new TimeSpan(1, 2, 3, 4), "1.02:03:04"), (new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), "2026-01-02 03:04:05+02:00"),
            (Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), "0F8FAD5B-D9CB-469F-A165-70867728950E"), ("", ""), (Array.Empty<byte>(), Array.Empty<byte>()), (double.NaN, DBNull.Value),
        })
        {
            yield return new($"A {value.GetType().Name} ({(value is byte[] bytes ? bytes.Length : value)}) is stored", c => { using var x = Contract.Command(c, "SELECT @a"); Contract.Add(x, "@a", value); Assert.Equal(stored, x.ExecuteScalar()); });
        }

        yield return new("The collection finds by name", c =>
        {
            using var x = c.CreateCommand();
            var p = Contract.Add(x, "@a", 1);
            Assert.Same(p, x.Parameters["@a"]);
            Assert.Equal((0, true, -1), (x.Parameters.IndexOf("@a"), x.Parameters.Contains(p), x.Parameters.IndexOf("@b")));
            Assert.ThrowsAny<ArgumentException>(() => x.Parameters["@b"]);
            x.Parameters.RemoveAt("@a");
            Assert.Empty(x.Parameters);
        });
        yield return new("The collection refuses what is no parameter", c => Assert.ThrowsAny<Exception>(() => c.CreateCommand().Parameters.Add(new object())));
    }

    private static IEnumerable<ContractCheck> Readers()
    {
        yield return new("No value before Read", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.Throws<InvalidOperationException>(() => r.GetInt64(0)); });
        yield return new("No value after the last row", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); r.Read(); Assert.Throws<InvalidOperationException>(() => r.GetInt64(0)); });
        yield return new("IsDBNull before Read throws", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.Throws<InvalidOperationException>(() => r.IsDBNull(0)); });
        foreach (var (name, use) in new (string, Action<DbDataReader>)[]
        {
            ("Read", r => r.Read()), ("NextResult", r => r.NextResult()), ("GetValue", r => r.GetValue(0)), ("GetName", r => r.GetName(0)), ("GetOrdinal", r => r.GetOrdinal("a")), ("FieldCount", r => _ = r.FieldCount),
            ("GetFieldType", r => r.GetFieldType(0)), ("GetDataTypeName", r => r.GetDataTypeName(0)), ("GetSchemaTable", r => r.GetSchemaTable()), ("IsDBNull", r => r.IsDBNull(0)), ("GetString", r => r.GetString(0)),
        })
        {
            yield return new($"{name} throws when closed", c => { var r = Contract.Read(c, "SELECT 1 AS a"); r.Read(); r.Close(); Assert.Throws<InvalidOperationException>(() => use(r)); });
        }

        foreach (var (name, use) in new (string, Action<DbDataReader, int>)[]
        {
            ("GetValue", (r, i) => r.GetValue(i)), ("GetName", (r, i) => r.GetName(i)), ("GetFieldType", (r, i) => r.GetFieldType(i)), ("GetInt32", (r, i) => r.GetInt32(i)), ("IsDBNull", (r, i) => r.IsDBNull(i)), ("GetString", (r, i) => r.GetString(i)),
        })
        {
            yield return new($"{name} throws for a column that is not there", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); Assert.ThrowsAny<Exception>(() => use(r, 1)); Assert.ThrowsAny<Exception>(() => use(r, -1)); });
        }

        yield return new("IsClosed after Close, which may come twice", c => { var r = Contract.Read(c, "SELECT 1"); r.Close(); r.Close(); Assert.True(r.IsClosed); });
        yield return new("FieldCount and names", c => { using var r = Contract.Read(c, "SELECT 1 AS a, 2 AS B"); Assert.Equal((2, "a", "B"), (r.FieldCount, r.GetName(0), r.GetName(1))); });
        yield return new("GetOrdinal with and without case", c => { using var r = Contract.Read(c, "SELECT 1 AS a, 2 AS A, 3 AS b"); Assert.Equal((0, 1, 2), (r.GetOrdinal("a"), r.GetOrdinal("A"), r.GetOrdinal("B"))); });
        yield return new("GetOrdinal of nothing throws", c => { using var r = Contract.Read(c, "SELECT 1 AS a"); Assert.ThrowsAny<Exception>(() => r.GetOrdinal("b")); });
        yield return new("HasRows", c => { using var r = Contract.Read(c, "SELECT 1; SELECT 1 WHERE 0"); Assert.True(r.HasRows); Assert.True(r.Read()); Assert.True(r.HasRows); Assert.True(r.NextResult()); Assert.False(r.HasRows); });
        yield return new("FieldCount 0 without result", c => { using var r = Contract.Read(c, "CREATE TABLE t (x)"); Assert.Equal(0, r.FieldCount); Assert.False(r.HasRows); Assert.False(r.Read()); });
        yield return new("NextResult after the last is false and no column is left", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.False(r.NextResult()); Assert.Equal(0, r.FieldCount); });
        yield return new("NextResult in the middle of rows", c => { using var r = Contract.Read(c, "SELECT 1 UNION SELECT 2; SELECT 3"); r.Read(); Assert.True(r.NextResult()); r.Read(); Assert.Equal(3, r.GetInt32(0)); });
        yield return new("RecordsAffected after rows changed", c => { Contract.Run(c, "CREATE TABLE t (x)"); var r = Contract.Read(c, "INSERT INTO t VALUES (1), (2); SELECT 1"); r.Close(); Assert.Equal(2, r.RecordsAffected); });
        yield return new("RecordsAffected -1 of a read", c => { var r = Contract.Read(c, "SELECT 1"); r.Close(); Assert.Equal(-1, r.RecordsAffected); });
        yield return new("GetValues fills what there is", c => { using var r = Contract.Read(c, "SELECT 1, 'a', NULL"); r.Read(); var few = new object[2]; var many = new object[5]; Assert.Equal((2, 3), (r.GetValues(few), r.GetValues(many))); Assert.Equal([1L, "a", DBNull.Value, null!, null!], many); });
        yield return new("GetBytes tells the length and copies a part", c =>
        {
            using var r = Contract.Read(c, "SELECT x'010203'");
            r.Read();
            var buffer = new byte[4];
            Assert.Equal((3L, 2L), (r.GetBytes(0, 0, null, 0, 0), r.GetBytes(0, 1, buffer, 1, 3)));
            Assert.Equal([0, 2, 3, 0], buffer);
            Assert.Equal(0, r.GetBytes(0, 3, buffer, 0, 1));
        });
        yield return new("GetChars tells the length and copies a part", c => { using var r = Contract.Read(c, "SELECT 'abc'"); r.Read(); var buffer = new char[3]; Assert.Equal((3L, 2L), (r.GetChars(0, 0, null, 0, 0), r.GetChars(0, 1, buffer, 0, 3))); Assert.Equal("bc\0", new string(buffer)); });
        foreach (var (name, use) in new (string, Action<DbDataReader>)[]
        {
            ("data offset", r => r.GetBytes(0, -1, new byte[2], 0, 1)), ("buffer offset", r => r.GetBytes(0, 0, new byte[2], -1, 1)), ("length", r => r.GetBytes(0, 0, new byte[2], 0, -1)), ("room", r => r.GetBytes(0, 0, new byte[2], 1, 3)),
        })
        {
            yield return new($"GetBytes refuses a wrong {name}", c => { using var r = Contract.Read(c, "SELECT x'010203'"); r.Read(); Assert.ThrowsAny<Exception>(() => use(r)); });
        }

        yield return new("GetStream", c => { using var r = Contract.Read(c, "SELECT x'0102'"); r.Read(); using var s = r.GetStream(0); Assert.Equal((1, 2, -1), (s.ReadByte(), s.ReadByte(), s.ReadByte())); });
        yield return new("GetTextReader", c => { using var r = Contract.Read(c, "SELECT 'abc'"); r.Read(); using var t = r.GetTextReader(0); Assert.Equal("abc", t.ReadToEnd()); });
        yield return new("GetTextReader of NULL throws", c => { using var r = Contract.Read(c, "SELECT NULL"); r.Read(); Assert.Throws<InvalidCastException>(() => r.GetTextReader(0)); });
        yield return new("GetStream of NULL throws", c => { using var r = Contract.Read(c, "SELECT NULL"); r.Read(); Assert.Throws<InvalidCastException>(() => r.GetStream(0)); });
        yield return new("GetDataTypeName is the declared one", c => { Contract.Run(c, "CREATE TABLE t (x VARCHAR(20))"); using var r = Contract.Read(c, "SELECT x FROM t"); Assert.Equal("VARCHAR", r.GetDataTypeName(0)); });
        yield return new("GetSchemaTable tells origin and keys", c =>
        {
            Contract.Run(c, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT NOT NULL)");
            using var r = Contract.Read(c, "SELECT id, x AS y, 1 + 1 FROM t");
            var rows = r.GetSchemaTable()!.Rows;
            Assert.Equal(("t", "x", "y", false, true, true), ((string)rows[1]["BaseTableName"], (string)rows[1]["BaseColumnName"], (string)rows[1]["ColumnName"], (bool)rows[1]["AllowDBNull"], (bool)rows[0]["IsKey"], (bool)rows[2]["IsExpression"]));
        });
        yield return new("GetColumnSchema", c => { Contract.Run(c, "CREATE TABLE t (x TEXT NOT NULL)"); using var r = Contract.Read(c, "SELECT x FROM t"); Assert.Equal(("x", "t", false, typeof(string)), r.GetColumnSchema() is [var s] ? (s.BaseColumnName!, s.BaseTableName!, s.AllowDBNull!.Value, s.DataType!) : default); });
        yield return new("CloseConnection closes it", c => { using var x = Contract.Command(c, "SELECT 1"); x.ExecuteReader(CommandBehavior.CloseConnection).Dispose(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("SingleRow gives one", c => { using var x = Contract.Command(c, "SELECT 1 UNION SELECT 2"); using var r = x.ExecuteReader(CommandBehavior.SingleRow); Assert.True(r.Read()); Assert.False(r.Read()); });
        yield return new("SingleResult gives one", c => { using var x = Contract.Command(c, "SELECT 1; SELECT 2"); using var r = x.ExecuteReader(CommandBehavior.SingleResult); Assert.True(r.Read()); Assert.False(r.NextResult()); });
        yield return new("SequentialAccess reads in order", c => { using var x = Contract.Command(c, "SELECT 1, 'a'"); using var r = x.ExecuteReader(CommandBehavior.SequentialAccess); Assert.True(r.Read()); Assert.Equal((1, "a"), (r.GetInt32(0), r.GetString(1))); });
        yield return new("Enumerating gives records", c => { using var r = Contract.Read(c, "SELECT 1 AS a UNION SELECT 2"); Assert.Equal([1L, 2L], r.Cast<IDataRecord>().Select(record => record["a"])); });
        yield return new("A DataTable loads", c => { using var r = Contract.Read(c, "SELECT 1 AS a, 'x' AS b"); using var t = new DataTable(); t.Load(r); Assert.Equal((1L, "x"), ((long)t.Rows[0]["a"], (string)t.Rows[0]["b"])); });
        yield return new("Closing the connection ends its readers", c => { var r = Contract.Read(c, "SELECT 1"); c.Close(); Assert.True(r.IsClosed); });
        yield return new("ReadAsync cancelled throws", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.ThrowsAny<OperationCanceledException>(() => r.ReadAsync(new CancellationToken(true)).GetAwaiter().GetResult()); });
        yield return new("Depth is 0", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.Equal(0, r.Depth); });
        yield return new("Two readers at once", c => { using var a = Contract.Read(c, "SELECT 1"); using var b = Contract.Read(c, "SELECT 2"); Assert.True(a.Read() && b.Read()); Assert.Equal((1, 2), (a.GetInt32(0), b.GetInt32(0))); });
    }

    private static IEnumerable<ContractCheck> Transactions()
    {
        yield return new("Commit keeps", c => { Contract.Run(c, "CREATE TABLE t (x)"); using (var t = c.BeginTransaction()) { Contract.Run(c, "INSERT INTO t VALUES (1)"); t.Commit(); } Assert.Equal(1L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("Rollback undoes", c => { Contract.Run(c, "CREATE TABLE t (x)"); using (var t = c.BeginTransaction()) { Contract.Run(c, "INSERT INTO t VALUES (1)"); t.Rollback(); } Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("Dispose undoes", c => { Contract.Run(c, "CREATE TABLE t (x)"); using (c.BeginTransaction()) Contract.Run(c, "INSERT INTO t VALUES (1)"); Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("Commit twice throws", c => { using var t = c.BeginTransaction(); t.Commit(); Assert.Throws<InvalidOperationException>(t.Commit); });
        yield return new("Rollback after Commit throws", c => { using var t = c.BeginTransaction(); t.Commit(); Assert.Throws<InvalidOperationException>(t.Rollback); });
        yield return new("Connection is null when it is over", c => { using var t = c.BeginTransaction(); Assert.Same(c, t.Connection); t.Commit(); Assert.Null(t.Connection); });
        yield return new("Nested throws", c => { using var t = c.BeginTransaction(); Assert.Throws<InvalidOperationException>(() => c.BeginTransaction()); });
        yield return new("Serializable by default", c => { using var t = c.BeginTransaction(); Assert.Equal(IsolationLevel.Serializable, t.IsolationLevel); });
        yield return new("Savepoints", c =>
        {
            Contract.Run(c, "CREATE TABLE t (x)");
            using var t = c.BeginTransaction();
            t.Save("a");
            Contract.Run(c, "INSERT INTO t VALUES (1)");
            t.Rollback("a");
            t.Release("a");
            Assert.True(t.SupportsSavepoints);
            Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t"));
        });
        yield return new("A command outside the transaction throws", c => { using var x = Contract.Command(c, "SELECT 1"); using var t = c.BeginTransaction(); x.Transaction = null; Assert.Throws<InvalidOperationException>(() => x.ExecuteScalar()); });
        yield return new("Closing the connection undoes", c => { Contract.Run(c, "CREATE TABLE t (x)"); c.BeginTransaction(); Contract.Run(c, "INSERT INTO t VALUES (1)"); c.Close(); c.Open(); Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("A batch runs", c => { using var b = c.CreateBatch(); var x = b.CreateBatchCommand(); x.CommandText = "SELECT 5"; b.BatchCommands.Add(x); Assert.Equal(5L, b.ExecuteScalar()); });
    }
}
