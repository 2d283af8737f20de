using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>An entry that cannot be applied stops its database's replica, and nothing else.</summary>
public sealed class PoisonTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly BlockingWorkers _workers = new("replica", 2, 1000);
    private readonly NodeChannels _channels = new(TimeProvider.System);
    private readonly Lines _log = new();
    private ScriptedPrimary _primary = null!;
    private EmbeddedControlPlane _control = null!;
    private ReplicaContext _context = null!;

    public async ValueTask InitializeAsync()
    {
        _primary = await ScriptedPrimary.StartAsync();
        _control = EmbeddedControlPlane.Open(Path("control.sqlite"), new Random(1));
        var self = new NodeRecord("here", "weur", new Uri("http://127.0.0.1:1"), new Uri("http://127.0.0.1:1"));
        await _control.RegisterAsync(new NodeRecord("primary", "enam", _primary.Address, _primary.Address));
        var reach = new NodeReach(self, _control, _channels, ReachTimes.Default, TimeProvider.System, new Random(2), NullLogger.Instance);
        _context = new ReplicaContext
        {
            Self = self,
            Forwarder = new PrimaryForwarder(self, _control, _channels, reach, TimeProvider.System),
            Control = _control,
            Channels = _channels,
            Workers = _workers,
            IdleCheckpoints = new(TimeProvider.System),
            FolderOf = database => Path($"copies/{database}"),
            Time = TimeProvider.System,
            Logger = _log,
        };
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_poisoned_entry_stops_the_replica_of_its_database_and_no_other(bool isReadable)
    {
        using var good = await CreateAsync(1, "good");
        using var bad = await CreateAsync(2, "bad");
        await using var goodCopy = await ReplicaGrain.ActivateAsync(_context, good.Database);
        await using var badCopy = await ReplicaGrain.ActivateAsync(_context, bad.Database);
        await VisibleAsync(goodCopy, good.Source.End);
        await VisibleAsync(badCopy, bad.Source.End);

        bad.Script.Ship(bad.WrongPatch(), isDamaged: !isReadable);
        await Eventually(() => _log.Has("has failed several times and is left alone for 00:00:04"), "it is tried ever more seldom");
        Assert.InRange(bad.Script.Subscriptions, 3, 6);

        for (var i = 0; i < 3; i++)
        {
            good.Script.Ship(good.Source.Write("INSERT INTO t VALUES (2)"));
            await VisibleAsync(goodCopy, good.Source.End);
        }

        Assert.Equal(1, good.Script.Subscriptions);
        Assert.False(goodCopy.HasFailed);
    }

    [Fact]
    public async Task A_copy_that_stopped_again_and_again_is_left_alone_and_says_so()
    {
        using var bad = await CreateAsync(2, "bad");
        _context.Faults.Note(bad.Database, "the disk is gone.", TimeProvider.System);
        await using (var copy = await ReplicaGrain.ActivateAsync(_context, bad.Database)) // once is nothing
        {
            await VisibleAsync(copy, bad.Source.End);
        }

        for (var i = 0; i < 5; i++)
        {
            _context.Faults.Note(bad.Database, "the disk is gone.", TimeProvider.System);
        }

        var refused = await Assert.ThrowsAsync<RequestException>(() => ReplicaGrain.ActivateAsync(_context, bad.Database));
        Assert.Equal(ErrorCodes.CopyStale, refused.Error.Code);
        Assert.Contains("the disk is gone", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pauses_grow_with_each_fault_and_are_forgotten_after_a_while()
    {
        var time = new ManualTime();
        var faults = new CopyFaults();
        var database = new DatabaseId(new Guid(1, 0, 0, new byte[8]));
        Assert.Null(faults.Pause(database, time));
        Assert.Equal([0, 1, 4, 16, 60, 60], Enumerable.Range(0, 6).Select(_ => faults.Note(database, "why", time).TotalSeconds));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal((TimeSpan.FromSeconds(1), "why"), faults.Pause(database, time));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(faults.Pause(database, time));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(TimeSpan.Zero, faults.Note(database, "again", time));
    }

    public async ValueTask DisposeAsync()
    {
        await _primary.DisposeAsync();
        await _channels.DisposeAsync();
        await _workers.DisposeAsync();
        await _control.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<Shipped> CreateAsync(int number, string name)
    {
        var database = new DatabaseId(new Guid(number, 0, 0, new byte[8]));
        await _control.CreateAsync(new DatabaseRecord { Id = database, Name = name, CreatedAt = DateTimeOffset.UnixEpoch, PrimaryRegion = "enam", PrimaryNode = "primary" });
        var source = new SourceDatabase(Path($"{name}.sqlite"), database);
        source.Write("CREATE TABLE t (x)");
        source.Write("INSERT INTO t VALUES (1)");
        source.Connection.Execute("PRAGMA wal_checkpoint(PASSIVE)");
        File.Copy(Path($"{name}.sqlite"), Path($"{name}-snapshot.sqlite"));
        return new(database, source, _primary.Add(database, Path($"{name}-snapshot.sqlite"), source.End, source.Epochs));
    }

    private static Task VisibleAsync(IDatabaseCopy copy, Position position) => Eventually(() => copy.Status.Visible == position, $"{position} is visible");

    private static async Task Eventually(Func<bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < _patience, $"Still not so: {what}");
            await Task.Delay(10);
        }
    }

    private string Path(string name) => System.IO.Path.Combine(_folder.Path, name);

    private sealed record Shipped(DatabaseId Database, SourceDatabase Source, ScriptedPrimary.Script Script) : IDisposable
    {
        /// <summary>An entry whose patch was made for another page than the one that everybody has.</summary>
        public Entry WrongPatch()
        {
            var wrong = new byte[4096];
            var next = (byte[])wrong.Clone();
            next[100] = 1;
            var builder = new EntryBuilder(Source.HeaderBehind(Source.End, 2), 1);
            builder.AddPatch(2, wrong, Crc32C.Of(wrong), next, Crc32C.Of(next));
            return builder.Build();
        }

        public void Dispose() => Source.Dispose();
    }

    private sealed class Lines : ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public bool Has(string text) => _lines.Any(line => line.Contains(text, StringComparison.Ordinal));

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue(formatter(state, exception));
    }
}
