using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>A snapshot that is kept between two reads is never an old one, and never in a checkpoint's way.</summary>
public sealed class KeptSnapshotTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES (1, 0)";

    [Fact]
    public async Task A_read_sees_what_was_committed_before_it()
    {
        using var bench = new SqlBench(Schema);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        for (var n = 1; n <= 50; n++)
        {
            bench.Write(Sql($"UPDATE t SET n = {n}"));
            Assert.Equal($"{n}", await ReadAsync(readers, "SELECT n FROM t"));
            Assert.Equal($"{n}", await ReadAsync(readers, "SELECT n FROM t")); // from the kept one
        }
    }

    [Fact]
    public async Task A_text_is_prepared_from_the_schema_of_now()
    {
        using var bench = new SqlBench(Schema);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        Assert.Equal("0", await ReadAsync(readers, "SELECT n FROM t"));
        await Assert.ThrowsAsync<RequestException>(() => ReadAsync(readers, "SELECT * FROM u"));
        bench.Write(Sql("CREATE TABLE u AS SELECT 7 AS x"));
        Assert.Equal("7", await ReadAsync(readers, "SELECT * FROM u"));
        bench.Write(Sql("ALTER TABLE u ADD COLUMN y DEFAULT 8"));
        Assert.Equal("7|8", await ReadAsync(readers, "SELECT * FROM u"));
        bench.Write(Sql("DROP TABLE u"));
        await Assert.ThrowsAsync<RequestException>(() => ReadAsync(readers, "SELECT * FROM u"));
    }

    [Fact]
    public async Task It_is_kept_and_goes_when_it_is_told_to()
    {
        using var bench = new SqlBench(Schema);
        using var checkpoints = SqliteConnection.Open(bench.Path);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        await ReadAsync(readers, "SELECT n FROM t");
        bench.Write(Sql("UPDATE t SET n = 1"));
        Assert.False(TryTruncate(checkpoints)); // the old one is still open
        readers.LetGo();
        Assert.True(TryTruncate(checkpoints));
        Assert.Equal("1", await ReadAsync(readers, "SELECT n FROM t"));
        Assert.True(TryTruncate(checkpoints)); // it reads the main file alone
    }

    [Fact]
    public async Task A_reader_that_was_lent_meanwhile_keeps_nothing()
    {
        using var bench = new SqlBench(Schema);
        using var checkpoints = SqliteConnection.Open(bench.Path);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        using (var lease = await readers.RentAsync(TestContext.Current.CancellationToken))
        {
            Read(lease.Connection, "SELECT n FROM t");
            readers.LetGo();
        }

        bench.Write(Sql("UPDATE t SET n = 1"));
        Assert.True(TryTruncate(checkpoints));
    }

    [Fact]
    public async Task Whoever_holds_readers_back_has_them_let_go()
    {
        using var bench = new SqlBench(Schema);
        using var checkpoints = SqliteConnection.Open(bench.Path);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        await ReadAsync(readers, "SELECT n FROM t");
        bench.Write(Sql("UPDATE t SET n = 1"));
        using (await readers.TryHoldAsync(TimeSpan.FromSeconds(10), TimeProvider.System))
        {
            Assert.True(TryTruncate(checkpoints));
        }

        Assert.Equal("1", await ReadAsync(readers, "SELECT n FROM t"));
    }

    [Fact]
    public void A_past_state_is_opened_by_a_connection_that_kept_the_newest()
    {
        using var bench = new SqlBench(Schema);
        using var capture = new WalCapture(bench.WriterConnection.Connection);
        bench.Write(Sql("UPDATE t SET n = 1"));
        capture.Capture(new PageSet());
        var past = capture.Visible;
        bench.Write(Sql("UPDATE t SET n = 2"));
        Assert.Equal("2", bench.Rows("SELECT n FROM t"));
        Assert.True(PreparedRead.TryPrepare(bench.Reader, Sql("SELECT n FROM t"), null, out var read));
        using (read)
        {
            read!.BeginSnapshot(past);
            Assert.Equal("1", Show(ResultCollector.Collect(read)[0]));
        }

        Assert.Equal("2", bench.Rows("SELECT n FROM t"));
    }

    [Fact]
    public async Task Idle_connections_keep_one_state_at_most_however_many_there_are()
    {
        using var bench = new SqlBench(Schema);
        using var checkpoints = SqliteConnection.Open(bench.Path);
        using var capture = new WalCapture(bench.WriterConnection.Connection);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        bench.Write(Sql("UPDATE t SET n = 1"));
        capture.Capture(new PageSet());
        var past = capture.Visible;
        var leases = new List<ReaderLease>();
        for (var n = 2; n <= 8; n++)
        {
            leases.Add(await readers.RentAsync(TestContext.Current.CancellationToken)); // all at once, so that each is another one
        }

        for (var n = 2; n <= 8; n++)
        {
            bench.Write(Sql($"UPDATE t SET n = {n}"));
            Assert.Equal($"{n}", Read(leases[n - 2].Connection, "SELECT n FROM t"));
            leases[n - 2].Dispose(); // keeps it: it is the newest state
        }

        Assert.Equal("8", await ReadAsync(readers, "SELECT n FROM t"));
        using var reader = bench.OpenReader();
        Assert.True(PreparedRead.TryPrepare(reader, Sql("SELECT n FROM t"), null, out var read));
        using (read)
        {
            read!.BeginSnapshot(past); // wants a place among the readers' that nobody has
            Assert.Equal("1", Show(ResultCollector.Collect(read)[0]));
        }

        using var lease = await LeaseAsync(readers);
        Assert.True(PreparedRead.TryPrepare(lease.Connection, Sql("SELECT n FROM t"), null, out var newest));
        using (newest)
        {
            newest!.BeginSnapshot();
            readers.LetGo();
            using var checkpoint = checkpoints.Prepare("PRAGMA wal_checkpoint(PASSIVE)");
            Assert.True(checkpoint.Step());
            Assert.Equal(checkpoint.GetInteger(1), checkpoint.GetInteger(2)); // all of it: the read stands at the newest state, not at an older place
        }
    }

    [Fact]
    public async Task An_interrupted_connection_answers_the_next_request()
    {
        using var bench = new SqlBench(Schema);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions { MaxConnections = 1 });
        using (var lease = await readers.RentAsync(TestContext.Current.CancellationToken))
        {
            Read(lease.Connection, "SELECT n FROM t");
            readers.Abort(); // too late for the read
        }

        Assert.Equal("0", await ReadAsync(readers, "SELECT n FROM t"));
    }

    [Fact]
    public async Task A_failed_statement_keeps_nothing()
    {
        using var bench = new SqlBench(Schema);
        using var checkpoints = SqliteConnection.Open(bench.Path);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        await Assert.ThrowsAsync<RequestException>(() => ReadAsync(readers, "SELECT abs(-9223372036854775808) FROM t"));
        bench.Write(Sql("UPDATE t SET n = 1"));
        Assert.True(TryTruncate(checkpoints));
    }

    [Fact]
    public async Task The_size_is_that_of_the_snapshot()
    {
        using var bench = new SqlBench(Schema);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions());
        var before = await SizeAsync(readers);
        Assert.Equal(before, await SizeAsync(readers));
        bench.Write(Sql("INSERT INTO t SELECT value, zeroblob(4000) FROM json_each('[10,11,12,13,14,15,16,17,18,19]')"));
        Assert.True(await SizeAsync(readers) > before);
    }

    [Fact]
    public async Task Beside_a_writer_and_its_checkpoints_no_read_is_old()
    {
        using var bench = new SqlBench(Schema);
        using var checkpoints = SqliteConnection.Open(bench.Path);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions { MaxConnections = 3 });
        long written = 0;
        using var done = new CancellationTokenSource();
        var reading = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var reads = 0;
            for (; !done.IsCancellationRequested || reads < 100; reads++)
            {
                var before = Volatile.Read(ref written);
                var seen = long.Parse(await ReadAsync(readers, "SELECT n FROM t"), System.Globalization.CultureInfo.InvariantCulture);
                Assert.True(seen >= before, $"Saw {seen} after {before} was committed.");
            }

            return reads;
        })).ToList();
        var restarts = 0;
        for (var n = 1; n <= 2000; n++)
        {
            bench.Write(Sql($"UPDATE t SET n = {n}"));
            Volatile.Write(ref written, n);
            if (n % 100 == 0 && await readers.TryHoldAsync(TimeSpan.FromSeconds(10), TimeProvider.System) is { } hold)
            {
                restarts += TryTruncate(checkpoints) ? 1 : 0;
                hold.Dispose();
            }
            else if (n % 37 == 0)
            {
                readers.LetGo();
                checkpoints.Execute("PRAGMA wal_checkpoint(PASSIVE)");
            }
        }

        await done.CancelAsync();
        Assert.All(await Task.WhenAll(reading), reads => Assert.True(reads >= 100));
        Assert.Equal(20, restarts);
    }

    private static async Task<string> ReadAsync(DatabaseReaders readers, string sql)
    {
        using var lease = await LeaseAsync(readers);
        return Read(lease.Connection, sql);
    }

    // As a short read does: without a wait where it can, and then with what was kept.
    private static async Task<ReaderLease> LeaseAsync(DatabaseReaders readers) =>
        readers.TryRent(out var lease) ? lease : await readers.RentAsync(TestContext.Current.CancellationToken);

    private static string Read(QueryConnection connection, string sql)
    {
        Assert.True(PreparedRead.TryPrepare(connection, Sql(sql), null, out var read));
        using (read)
        {
            return Show(ResultCollector.Collect(read!)[0]);
        }
    }

    private static async Task<long> SizeAsync(DatabaseReaders readers)
    {
        using var lease = await LeaseAsync(readers);
        Assert.True(PreparedRead.TryPrepare(lease.Connection, Sql("SELECT 1"), null, out var read));
        using (read)
        {
            return ResultCollector.Collect(read!)[0].Meta.SizeAfter;
        }
    }

    // TRUNCATE: only without a reader on the WAL.
    private static bool TryTruncate(SqliteConnection connection) => connection.QueryInteger("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
}
