using System.Collections;
using System.Data;
using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Connections and commands in each state, in both forms of each method; behaviours; collections of parameters; the factory.</summary>
internal static class StateChecks
{
    private static readonly (string Name, Func<DbCommand, CancellationToken, Task> Run)[] _executions =
    [
        ("ExecuteReaderAsync", (x, t) => x.ExecuteReaderAsync(t)), ("ExecuteScalarAsync", (x, t) => x.ExecuteScalarAsync(t)), ("ExecuteNonQueryAsync", (x, t) => x.ExecuteNonQueryAsync(t)),
    ];

    public static IEnumerable<ContractCheck> All() => [.. Connections(), .. Commands(), .. Behaviors(), .. Transactions(), .. Collections(), .. Factory()];

    private static IEnumerable<ContractCheck> Connections()
    {
        yield return new("A new connection's string is empty", c => Assert.Equal("", New(c).ConnectionString));
        yield return new("A connection string of null is empty", c => { using var n = New(c); n.ConnectionString = null; Assert.Equal("", n.ConnectionString); });
        yield return new("A connection string is kept as it is", c => { using var n = Contract.Another(c); Assert.Equal(c.ConnectionString, n.ConnectionString); });
        yield return new("A new connection is closed", c => Assert.Equal(ConnectionState.Closed, New(c).State));
        yield return new("Without a connection string its parts are empty", c => { using var n = New(c); Assert.Equal(("", ""), (n.DataSource, n.Database)); });
        yield return new("Open without a connection string throws", c => { using var n = New(c); Assert.Throws<InvalidOperationException>(n.Open); });
        yield return new("OpenAsync without a connection string throws", c => { using var n = New(c); Assert.Throws<InvalidOperationException>(() => n.OpenAsync().GetAwaiter().GetResult()); });
        yield return new("OpenAsync twice throws", c => Assert.Throws<InvalidOperationException>(() => c.OpenAsync().GetAwaiter().GetResult()));
        yield return new("A keyword that is none throws", c => { using var n = New(c); Assert.ThrowsAny<ArgumentException>(() => n.ConnectionString = "xyzzy=Invalid"); });
        yield return new("Database and DataSource are told", c => { Assert.NotEmpty(c.Database); Assert.NotEmpty(c.DataSource); });
        yield return new("StateChange is told of Open, by the connection", c =>
        {
            using var n = Contract.Another(c);
            var told = new List<(object?, ConnectionState, ConnectionState)>();
            n.StateChange += (sender, change) => told.Add((sender, change.OriginalState, change.CurrentState));
            n.Open();
            Assert.Equal([(n, ConnectionState.Closed, ConnectionState.Open)], told);
        });
        yield return new("Close before Open is nothing", c => { using var n = Contract.Another(c); n.Close(); Assert.Equal(ConnectionState.Closed, n.State); });
        yield return new("CloseAsync closes", c => { c.CloseAsync().GetAwaiter().GetResult(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("DisposeAsync closes, and may come twice", c => { c.DisposeAsync().AsTask().GetAwaiter().GetResult(); c.DisposeAsync().AsTask().GetAwaiter().GetResult(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("OpenAsync that is cancelled tells it by its task", c => { using var n = Contract.Another(c); var task = n.OpenAsync(new CancellationToken(true)); Assert.True(task.IsCanceled); });
        yield return new("BeginTransactionAsync throws while closed", c => { using var n = Contract.Another(c); Assert.Throws<InvalidOperationException>(() => n.BeginTransactionAsync().AsTask().GetAwaiter().GetResult()); });
        foreach (var get in new Func<DbConnection, DataTable>[] { c => c.GetSchema(), c => c.GetSchema("MetaDataCollections"), c => c.GetSchemaAsync().GetAwaiter().GetResult() })
        {
            yield return new($"MetaDataCollections has its three columns ({get.Method.Name})", c =>
            {
                var columns = get(c).Columns;
                Assert.Equal(
                    [("CollectionName", typeof(string)), ("NumberOfRestrictions", typeof(int)), ("NumberOfIdentifierParts", typeof(int))],
                    columns.Cast<DataColumn>().Select(column => (column.ColumnName, column.DataType)));
            });
        }
    }

    private static IEnumerable<ContractCheck> Commands()
    {
        foreach (var (name, run) in _executions)
        {
            yield return new($"{name} throws without connection", c => { using var x = Contract.Command(c, "SELECT 1"); x.Connection = null; Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} throws while closed", c => { using var x = Contract.Command(c, "SELECT 1"); c.Close(); Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} throws without text", c => { using var x = c.CreateCommand(); Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} throws a DbException for wrong SQL", c => { using var x = Contract.Command(c, "SELEKT"); Assert.ThrowsAny<DbException>(() => run(x, default).GetAwaiter().GetResult()); });
            yield return new($"{name} that is cancelled tells it by its task", c => { using var x = Contract.Command(c, "SELECT 1"); var task = run(x, new CancellationToken(true)); Assert.ThrowsAny<OperationCanceledException>(() => task.GetAwaiter().GetResult()); Assert.True(task.IsCanceled); });
            yield return new($"{name} throws outside the connection's transaction", c => { using var x = Contract.Command(c, "SELECT 1"); using var t = c.BeginTransaction(); x.Transaction = null; Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} throws in a transaction that is over", c => { using var x = Contract.Command(c, "SELECT 1"); using var t = c.BeginTransaction(); x.Transaction = t; t.Commit(); Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} in its transaction", c => { using var x = Contract.Command(c, "SELECT 1"); using var t = c.BeginTransaction(); x.Transaction = t; run(x, default).GetAwaiter().GetResult(); });
            yield return new($"{name} with a value of a type that cannot be stored", c => { using var x = Contract.Command(c, "SELECT @a"); Contract.Add(x, "@a", new object()); Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} with a value that is not set", c => { using var x = Contract.Command(c, "SELECT @a"); Contract.Add(x, "@a", null); Throws<InvalidOperationException>(run(x, default)); });
            yield return new($"{name} of a comment alone", c => { using var x = Contract.Command(c, "-- nothing"); run(x, default).GetAwaiter().GetResult(); });
        }

        yield return new("A comment alone has no rows", c => { using var r = Contract.Read(c, "-- nothing"); Assert.Equal((false, 0, false, false), (r.HasRows, r.FieldCount, r.Read(), r.NextResult())); });
        yield return new("A comment after the statement is no result", c => { using var r = Contract.Read(c, "SELECT 0; -- my favourite number"); Assert.True(r.Read()); Assert.Equal(0, r.GetInt32(0)); Assert.False(r.NextResult()); });
        yield return new("A reader lives on without its command", c =>
        {
            DbDataReader r;
            using (var x = Contract.Command(c, "SELECT 'test'")) r = x.ExecuteReader();
            Assert.True(r.Read());
            Assert.Equal("test", r.GetString(0));
            Assert.False(r.Read());
            r.Dispose();
        });
        foreach (var text in new[] { "Ä", "Ḁ", "😀", "a\nb", "''" })
        {
            yield return new($"Text {text} comes back: literal", c => Assert.Equal(text, Contract.Scalar(c, $"SELECT '{text.Replace("'", "''", StringComparison.Ordinal)}'")));
            yield return new($"Text {text} comes back: parameter, three ways", c =>
            {
                using var x = Contract.Command(c, "SELECT @a");
                Contract.Add(x, "@a", text);
                using var r = x.ExecuteReader();
                Assert.True(r.Read());
                Assert.Equal((text, text, text), (r.GetString(0), r.GetFieldValue<string>(0), (string)r.GetValue(0)));
            });
        }

        yield return new("A disposed command still tells what it is", c => { var x = c.CreateCommand(); x.Dispose(); Assert.Equal(("", CommandType.Text), (x.CommandText, x.CommandType)); Assert.NotNull(x.Parameters); });
        yield return new("Connection can be unset", c => { using var x = c.CreateCommand(); x.Connection = null; Assert.Null(x.Connection); });
        yield return new("Connection cannot be changed while a reader is open", c => { using var x = Contract.Command(c, "SELECT 1"); using var r = x.ExecuteReader(); using var n = Contract.Another(c); Assert.Throws<InvalidOperationException>(() => x.Connection = n); });
        yield return new("Cancel of a new command is nothing", c => { using var x = DbProviderFactories.GetFactory(c)!.CreateCommand()!; x.Cancel(); });
        yield return new("A command runs again with another value", c =>
        {
            using var x = Contract.Command(c, "SELECT @a");
            var p = Contract.Add(x, "@a", 1);
            Assert.Equal(1L, x.ExecuteScalar());
            p.Value = "two";
            Assert.Equal("two", x.ExecuteScalar());
            p.Value = DBNull.Value;
            Assert.Equal(DBNull.Value, x.ExecuteScalar());
        });
        yield return new("A command runs again with another text", c => { using var x = Contract.Command(c, "SELECT 1"); x.ExecuteScalar(); x.CommandText = "SELECT 2"; Assert.Equal(2L, x.ExecuteScalar()); });
        yield return new("A command runs again by place", c =>
        {
            using var x = Contract.Command(c, "SELECT @a || @b");
            Contract.Add(x, "@a", "a");
            Contract.Add(x, "@b", "b");
            Assert.Equal("ab", x.ExecuteScalar());
            x.Parameters[1].Value = "c";
            Assert.Equal("ac", x.ExecuteScalar());
        });
        foreach (var (sql, value) in new (string, object)[] { ("SELECT 1", 1L), ("SELECT 3.14", 3.14), ("SELECT 'test'", "test"), ("SELECT NULL", DBNull.Value), ("SELECT 42; SELECT 43", 42L), ("SELECT 42, 43", 42L), ("SELECT 42 UNION SELECT 43", 42L) })
            yield return new($"ExecuteScalarAsync of {sql}", c => { using var x = Contract.Command(c, sql); Assert.Equal(value, x.ExecuteScalarAsync().GetAwaiter().GetResult()); });
        foreach (var (sql, rows) in new (string, int)[] { ("SELECT 1", -1), ("INSERT INTO t VALUES (1), (2), (3)", 3), ("UPDATE t SET a = 1 WHERE 0", 0), ("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", 2), ("DELETE FROM t; SELECT 1", 0) })
        {
            yield return new($"ExecuteNonQueryAsync of {sql}", c => { Contract.Run(c, "CREATE TABLE t (a)"); using var x = Contract.Command(c, sql); Assert.Equal(rows, x.ExecuteNonQueryAsync().GetAwaiter().GetResult()); });
            yield return new($"RecordsAffected of {sql}", c => { Contract.Run(c, "CREATE TABLE t (a)"); var r = Contract.Read(c, sql); while (r.NextResult()) { } r.Close(); Assert.Equal(rows, r.RecordsAffected); });
        }
    }

    private static IEnumerable<ContractCheck> Behaviors()
    {
        yield return new("SingleRow: one row of one result", c => { using var r = Contract.Read(c, "SELECT 1; SELECT 2; SELECT 3", CommandBehavior.SingleRow); Assert.True(r.Read()); Assert.Equal(1, r.GetInt32(0)); Assert.False(r.Read()); Assert.False(r.NextResult()); });
        yield return new("SingleRow runs all statements", c => { Contract.Run(c, "CREATE TABLE t (a)"); using (Contract.Read(c, "SELECT 1; INSERT INTO t VALUES (1)", CommandBehavior.SingleRow)) { } Assert.Equal(1L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("SingleResult: all rows of one result", c => { using var r = Contract.Read(c, "SELECT 1 UNION SELECT 2; SELECT 3", CommandBehavior.SingleResult); Assert.True(r.Read()); Assert.True(r.Read()); Assert.False(r.Read()); Assert.False(r.NextResult()); });
        yield return new("SchemaOnly: columns and no rows", c =>
        {
            Contract.Run(c, "CREATE TABLE t (a TEXT NOT NULL, b INTEGER); INSERT INTO t VALUES ('x', 1)");
            using var r = Contract.Read(c, "SELECT b, a FROM t", CommandBehavior.SchemaOnly);
            Assert.Equal((2, "b", "a", "TEXT", false), (r.FieldCount, r.GetName(0), r.GetName(1), r.GetDataTypeName(1), r.HasRows));
            Assert.False(r.Read());
            Assert.False(r.NextResult());
        });
        yield return new("SchemaOnly writes nothing", c => { Contract.Run(c, "CREATE TABLE t (a)"); using (Contract.Read(c, "INSERT INTO t VALUES (1)", CommandBehavior.SchemaOnly)) { } Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("SchemaOnly: several results", c => { using var r = Contract.Read(c, "SELECT 1 AS a; SELECT 2 AS b", CommandBehavior.SchemaOnly); Assert.Equal("a", r.GetName(0)); Assert.True(r.NextResult()); Assert.Equal("b", r.GetName(0)); Assert.False(r.NextResult()); });
        yield return new("SchemaOnly | KeyInfo tells the key", c => { Contract.Run(c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)"); using var r = Contract.Read(c, "SELECT a, b FROM t", CommandBehavior.SchemaOnly | CommandBehavior.KeyInfo); var rows = r.GetSchemaTable()!.Rows; Assert.Equal((true, false), ((bool)rows[0]["IsKey"], (bool)rows[1]["IsKey"])); });
        yield return new("SchemaOnly of wrong SQL throws", c => Assert.ThrowsAny<DbException>(() => Contract.Read(c, "SELECT nowhere FROM t", CommandBehavior.SchemaOnly)));
        yield return new("KeyInfo reads as without it", c => { using var r = Contract.Read(c, "SELECT 1", CommandBehavior.KeyInfo); Assert.True(r.Read()); Assert.Equal(1, r.GetInt32(0)); });
        yield return new("CloseConnection: Close closes it", c => { var r = Contract.Read(c, "SELECT 1", CommandBehavior.CloseConnection); r.Close(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("CloseConnection: DisposeAsync closes it", c => { var r = Contract.Read(c, "SELECT 1", CommandBehavior.CloseConnection); r.DisposeAsync().AsTask().GetAwaiter().GetResult(); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("CloseConnection: enumerating to the end closes it", c => { foreach (var record in Contract.Read(c, "SELECT 1", CommandBehavior.CloseConnection)) { } Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("CloseConnection: a command that fails closes it", c => { Assert.ThrowsAny<DbException>(() => Contract.Read(c, "SELEKT", CommandBehavior.CloseConnection)); Assert.Equal(ConnectionState.Closed, c.State); });
        yield return new("A behaviour that is none throws", c => Assert.ThrowsAny<ArgumentException>(() => Contract.Read(c, "SELECT 1", (CommandBehavior)4096)));
        yield return new("Read stays false", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.True(r.Read()); Assert.False(r.Read()); Assert.False(r.Read()); });
        yield return new("NextResult stays false", c => { using var r = Contract.Read(c, "SELECT 1"); Assert.False(r.NextResult()); Assert.False(r.NextResult()); });
        yield return new("HasRows of an empty result, then of one with rows", c => { using var r = Contract.Read(c, "SELECT 1 WHERE 0; SELECT 1"); Assert.False(r.HasRows); Assert.True(r.NextResult()); Assert.True(r.HasRows); });
        yield return new("GetValues of null throws", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); Assert.Throws<ArgumentNullException>(() => r.GetValues(null!)); });
        yield return new("GetValues into nothing", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); Assert.Equal(0, r.GetValues([])); });
        foreach (var (name, ask) in new (string, Func<DbDataReader, Task>)[] { ("GetFieldValueAsync", r => r.GetFieldValueAsync<int>(0, new(true))), ("IsDBNullAsync", r => r.IsDBNullAsync(0, new(true))), ("ReadAsync", r => r.ReadAsync(new(true))), ("NextResultAsync", r => r.NextResultAsync(new(true))) })
            yield return new($"{name} that is cancelled tells it by its task", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); var task = ask(r); Assert.ThrowsAny<OperationCanceledException>(() => task.GetAwaiter().GetResult()); Assert.True(task.IsCanceled); });
        yield return new("GetFieldValue<TextReader>", c => { using var r = Contract.Read(c, "SELECT '1'"); r.Read(); using var t = r.GetFieldValue<TextReader>(0); Assert.Equal("1", t.ReadToEnd()); });
        yield return new("GetFieldValue<TextReader> of NULL throws", c => { using var r = Contract.Read(c, "SELECT NULL"); r.Read(); Assert.Throws<InvalidCastException>(() => r.GetTextReader(0)); });
        yield return new("GetFieldValue<DBNull> of a value throws", c => { using var r = Contract.Read(c, "SELECT 1"); r.Read(); Assert.Throws<InvalidCastException>(() => r.GetFieldValue<DBNull>(0)); });
        yield return new("GetTextReader of an empty text", c => { using var r = Contract.Read(c, "SELECT ''"); r.Read(); using var t = r.GetTextReader(0); Assert.Equal("", t.ReadToEnd()); });
    }

    private static IEnumerable<ContractCheck> Transactions()
    {
        yield return new("Commit after Dispose throws", c => { var t = c.BeginTransaction(); t.Dispose(); Assert.Throws<ObjectDisposedException>(t.Commit); });
        yield return new("Rollback after Dispose throws", c => { var t = c.BeginTransaction(); t.Dispose(); Assert.Throws<ObjectDisposedException>(t.Rollback); });
        yield return new("Dispose twice is nothing", c => { var t = c.BeginTransaction(); t.Dispose(); t.Dispose(); });
        yield return new("Rollback twice throws", c => { using var t = c.BeginTransaction(); t.Rollback(); Assert.Throws<InvalidOperationException>(t.Rollback); });
        yield return new("Commit after Rollback throws", c => { using var t = c.BeginTransaction(); t.Rollback(); Assert.Throws<InvalidOperationException>(t.Commit); });
        yield return new("Rollback clears Connection", c => { using var t = c.BeginTransaction(); t.Rollback(); Assert.Null(t.Connection); });
        yield return new("Serializable as asked", c => { using var t = c.BeginTransaction(IsolationLevel.Serializable); Assert.Equal(IsolationLevel.Serializable, t.IsolationLevel); });
        yield return new("CommitAsync keeps", c => { Contract.Run(c, "CREATE TABLE t (a)"); using (var t = c.BeginTransaction()) { Contract.Run(c, "INSERT INTO t VALUES (1)"); t.CommitAsync().GetAwaiter().GetResult(); } Assert.Equal(1L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("RollbackAsync undoes", c => { Contract.Run(c, "CREATE TABLE t (a)"); using (var t = c.BeginTransaction()) { Contract.Run(c, "INSERT INTO t VALUES (1)"); t.RollbackAsync().GetAwaiter().GetResult(); } Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("DisposeAsync undoes", c => { Contract.Run(c, "CREATE TABLE t (a)"); var t = c.BeginTransaction(); Contract.Run(c, "INSERT INTO t VALUES (1)"); t.DisposeAsync().AsTask().GetAwaiter().GetResult(); Assert.Equal(0L, Contract.Scalar(c, "SELECT count(*) FROM t")); });
        yield return new("A transaction after another", c => { using (var t = c.BeginTransaction()) t.Commit(); using (var t = c.BeginTransaction()) t.Rollback(); });
    }

    private static IEnumerable<ContractCheck> Collections()
    {
        ContractCheck Check(string name, Action<DbCommand, DbParameterCollection> run) => new($"Parameters: {name}", c => { using var x = c.CreateCommand(); run(x, x.Parameters); });
        yield return Check("Add of null", (_, p) => Assert.Throws<ArgumentNullException>(() => p.Add(null!)));
        yield return Check("Insert of null", (_, p) => Assert.Throws<ArgumentNullException>(() => p.Insert(0, null!)));
        yield return Check("Remove of null", (_, p) => Assert.Throws<ArgumentNullException>(() => p.Remove(null!)));
        yield return Check("null by number", (x, p) => { Contract.Add(x, "@a", 1); Assert.Throws<ArgumentNullException>(() => p[0] = null!); });
        yield return Check("null by name", (x, p) => { Contract.Add(x, "@a", 1); Assert.Throws<ArgumentNullException>(() => p["@a"] = null!); });
        yield return Check("null through IList", (x, p) => { Contract.Add(x, "@a", 1); Assert.Throws<ArgumentNullException>(() => ((IList)p)[0] = null); });
        yield return Check("null through IDataParameterCollection", (x, p) => { Contract.Add(x, "@a", 1); Assert.Throws<ArgumentNullException>(() => ((IDataParameterCollection)p)["@a"] = null!); });
        yield return Check("Contains of null", (_, p) => { Assert.False(p.Contains((object)null!)); Assert.False(p.Contains((string)null!)); });
        yield return Check("IndexOf of null", (_, p) => Assert.Equal((-1, -1), (p.IndexOf((object)null!), p.IndexOf((string)null!))));
        yield return Check("RemoveAt below 0", (_, p) => Assert.Throws<ArgumentOutOfRangeException>(() => p.RemoveAt(-1)));
        yield return Check("RemoveAt of an empty one", (_, p) => Assert.Throws<ArgumentOutOfRangeException>(() => p.RemoveAt(0)));
        yield return Check("Insert below 0", (x, p) => Assert.Throws<ArgumentOutOfRangeException>(() => p.Insert(-1, x.CreateParameter())));
        yield return Check("Insert beyond the end", (x, p) => Assert.Throws<ArgumentOutOfRangeException>(() => p.Insert(1, x.CreateParameter())));
        yield return Check("Insert", (x, p) => { var a = x.CreateParameter(); p.Insert(0, a); Assert.Same(a, Assert.Single(p.Cast<DbParameter>())); });
        yield return Check("Remove", (x, p) => { var a = Contract.Add(x, "@a", 1); p.Remove(a); Assert.Empty(p); });
        yield return Check("RemoveAt", (x, p) => { Contract.Add(x, "@a", 1); p.RemoveAt(0); Assert.Empty(p); });
        yield return Check("AddRange and Clear", (x, p) => { p.AddRange(new[] { x.CreateParameter(), x.CreateParameter() }); Assert.Equal(2, p.Count); p.Clear(); Assert.Empty(p); });
        yield return Check("CopyTo", (x, p) => { var a = Contract.Add(x, "@a", 1); var copy = new DbParameter[2]; p.CopyTo(copy, 1); Assert.Same(a, copy[1]); });
        yield return Check("set by number and by name", (x, p) => { Contract.Add(x, "@a", 1); var b = x.CreateParameter(); b.ParameterName = "@b"; p["@a"] = b; Assert.Same(b, p[0]); p[0] = b; Assert.Same(b, p["@b"]); });
        yield return Check("what is no parameter", (_, p) => Assert.Throws<InvalidCastException>(() => p.Add(5)));
        yield return Check("precision, scale and size are 0 at first", (x, _) => { var a = x.CreateParameter(); Assert.Equal((0, 0, 0), (a.Precision, a.Scale, a.Size)); });
        yield return Check("the source's version is Current at first", (x, _) => Assert.Equal(DataRowVersion.Current, x.CreateParameter().SourceVersion));
        yield return Check("SourceColumn null is empty", (x, _) => { var a = x.CreateParameter(); a.SourceColumn = null!; Assert.Equal("", a.SourceColumn); });
        yield return Check("Value can be set to null", (x, _) => { var a = x.CreateParameter(); a.Value = 1; a.Value = null; Assert.Null(a.Value); });
        foreach (var type in Enum.GetValues<DbType>().Where(type => type is DbType.Int64 or DbType.String or DbType.Binary or DbType.Double or DbType.Guid or DbType.DateTime or DbType.Boolean or DbType.Decimal))
            yield return Check($"DbType {type} is kept", (x, _) => { var a = x.CreateParameter(); a.DbType = type; Assert.Equal(type, a.DbType); a.ResetDbType(); Assert.Equal(DbType.String, a.DbType); });
    }

    private static IEnumerable<ContractCheck> Factory()
    {
        ContractCheck Check(string name, Action<DbProviderFactory> run) => new($"Factory: {name}", c => run(DbProviderFactories.GetFactory(c)!));
        yield return Check("connection, command, parameter, string builder", f => { Assert.NotNull(f.CreateConnection()); Assert.NotNull(f.CreateCommand()); Assert.NotNull(f.CreateParameter()); Assert.NotNull(f.CreateConnectionStringBuilder()); });
        yield return Check("data adapter", f => { Assert.True(f.CanCreateDataAdapter); Assert.NotNull(f.CreateDataAdapter()); });
        yield return Check("command builder", f => { Assert.True(f.CanCreateCommandBuilder); Assert.NotNull(f.CreateCommandBuilder()); });
        yield return Check("batch", f => { Assert.True(f.CanCreateBatch); Assert.NotNull(f.CreateBatch()); Assert.NotNull(f.CreateBatchCommand()); });
        yield return Check("no enumerator of servers", f => { Assert.False(f.CanCreateDataSourceEnumerator); Assert.Null(f.CreateDataSourceEnumerator()); });
        yield return new("Factory: it is the connection's", c => Assert.Same(DbProviderFactories.GetFactory(c), DbProviderFactories.GetFactory(New(c))));
        yield return new("Factory: a data source opens connections", c =>
        {
            using var source = DbProviderFactories.GetFactory(c)!.CreateDataSource(c.ConnectionString);
            using var n = source.OpenConnection();
            using var x = source.CreateCommand("SELECT 1");
            Assert.Equal((ConnectionState.Open, 1L), (n.State, (long)x.ExecuteScalar()!));
        });
        yield return new("A DataAdapter fills a table", c =>
        {
            Contract.Run(c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')");
            using var table = new DataTable();
            Assert.Equal(2, Adapter(c, "SELECT a, b FROM t").Fill(table));
            Assert.Equal("y", table.Rows[1]["b"]);
        });
        yield return new("A CommandBuilder writes back what was changed", c =>
        {
            Contract.Run(c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')");
            var adapter = Adapter(c, "SELECT a, b FROM t");
            using var builder = DbProviderFactories.GetFactory(c)!.CreateCommandBuilder()!;
            builder.DataAdapter = adapter;
            using var table = new DataTable();
            adapter.Fill(table);
            table.Rows[0]["b"] = "changed";
            table.Rows[1].Delete();
            table.Rows.Add(4, "new");
            Assert.Equal(3, adapter.Update(table));
            Assert.Equal("1 changed,3 z,4 new", Contract.Scalar(c, "SELECT group_concat(a || ' ' || b) FROM (SELECT * FROM t ORDER BY a)"));
        });
    }

    private static DbDataAdapter Adapter(DbConnection connection, string sql)
    {
        var adapter = DbProviderFactories.GetFactory(connection)!.CreateDataAdapter()!;
        adapter.SelectCommand = Contract.Command(connection, sql);
        return adapter;
    }

    private static DbConnection New(DbConnection connection) => DbProviderFactories.GetFactory(connection)!.CreateConnection()!;

    private static void Throws<TException>(Task task)
        where TException : Exception => Assert.Throws<TException>(() => task.GetAwaiter().GetResult());
}
