using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Client.Tests;

public sealed class TelemetryTests(LiveCluster cluster)
{
    [Fact]
    public async Task An_operation_is_traced_and_measured_before_the_call_returns_and_shows_no_values()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x)");
        var activities = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = known => known.Name == ReplicatedSqliteTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if ((string?)activity.GetTagItem("db.namespace") == source.Database) activities.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var durations = new List<(double Seconds, string? Error)>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "db.client.operation.duration") self.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<double>((_, seconds, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value);
            if ((string?)all["db.namespace"] == source.Database) durations.Add((seconds, (string?)all.GetValueOrDefault("error.type")));
        });
        meters.Start();
        var session = source.WithSession(Session.FirstPrimary);
        await using (var connection = await source.OpenConnectionAsync(session))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO t VALUES ('secret', 17), (@x, 2)";
            command.Parameters.AddWithValue("@x", "hidden");
            Assert.Throws<ReplicatedSqliteException>(() => command.ExecuteNonQuery());
            command.CommandText = "SELECT x FROM t WHERE x = 'secret'";
            await using var reader = await command.ExecuteReaderAsync();
            Assert.False(await reader.ReadAsync());
        }

        Assert.Equal(2, activities.Count);
        Assert.Equal("INSERT " + source.Database, activities[0].DisplayName);
        Assert.Equal("INSERT INTO t VALUES (?, ?), (@x, ?)", activities[0].GetTagItem("db.query.text"));
        Assert.Equal(("replicatedsqlite", "INSERT", "SQLITE_ERROR", "SQLITE_ERROR"), (activities[0].GetTagItem("db.system.name"), activities[0].GetTagItem("db.operation.name"), activities[0].GetTagItem("error.type"), activities[0].GetTagItem("db.response.status_code")));
        Assert.Equal(ActivityStatusCode.Error, activities[0].Status);
        Assert.Equal("127.0.0.1", activities[1].GetTagItem("server.address"));
        Assert.Equal(session.Bookmark?.ToString(), activities[1].GetTagItem("replicatedsqlite.bookmark"));
        Assert.NotNull(activities[1].GetTagItem("replicatedsqlite.session"));
        Assert.All(activities.SelectMany(activity => activity.TagObjects), tag => Assert.DoesNotContain("secret", tag.Value?.ToString() ?? "", StringComparison.Ordinal));
        Assert.Equal(["SQLITE_ERROR", null], durations.Select(duration => duration.Error));
    }

    [Fact]
    public async Task The_log_and_the_counter_tell_of_attempts_made_again_and_of_how_operations_ended()
    {
        const string Code = "TEST_BUSY"; // nobody else's, as the counter is the process's
        var failures = 2;
        await using var server = await FakeServer.StartAsync();
        server.OnExecute = (request, _) => request.Statements[0].Sql.StartsWith("SELEKT", StringComparison.Ordinal)
            ? throw new Protocol.RequestException(new Protocol.V1.SqlError { Code = "SQLITE_ERROR", SqliteCode = 1, CommitState = Protocol.V1.CommitState.NotCommitted }, "near SELEKT")
            : Interlocked.Decrement(ref failures) >= 0
                ? throw new Protocol.RequestException(new Protocol.V1.SqlError { Code = Code, Retryable = true, CommitState = Protocol.V1.CommitState.NotCommitted }, "later")
                : new(Answer.With(Answer.Table(["a"], [5L])));
        var retries = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == ReplicatedSqliteTelemetry.SourceName && instrument.Name == "replicatedsqlite.client.retries") self.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag.Key == "error.type" && (string?)tag.Value == Code) Interlocked.Add(ref retries, count);
            }
        });
        meters.Start();
        using var log = new KeptLog();
        await using (var source = ReplicatedSqliteDataSource.Create($"Endpoint={server.Address};Database=shop;Retry Timeout=60", new ReplicatedSqliteClientOptions { LoggerFactory = log }))
        {
            await using var command = source.CreateCommand("SELECT a FROM t WHERE b = 'secret' AND c = @c");
            command.Parameters.AddWithValue("@c", "hidden");
            Assert.Equal(5L, await command.ExecuteScalarAsync());
            await using var wrong = source.CreateCommand("SELEKT 'secret'");
            await Assert.ThrowsAsync<ReplicatedSqliteException>(() => wrong.ExecuteNonQueryAsync());
        }

        Assert.Equal(2, Interlocked.Read(ref retries));
        Assert.Equal(
            [(8003, LogLevel.Information), (8003, LogLevel.Information), (8001, LogLevel.Debug), (8002, LogLevel.Debug)],
            log.Entries.Select(entry => (entry.Id, entry.Level)));
        Assert.All(log.Entries, entry => Assert.Equal("ReplicatedSqlite.Client", entry.Category));
        Assert.StartsWith("SELECT on shop took ", log.Entries[2].Text, StringComparison.Ordinal);
        Assert.EndsWith("with SQLITE_ERROR", log.Entries[3].Text, StringComparison.Ordinal);
        Assert.All(log.Entries, entry => Assert.DoesNotContain("secret", entry.Text, StringComparison.Ordinal));
        Assert.All(log.Entries, entry => Assert.DoesNotContain("hidden", entry.Text, StringComparison.Ordinal));
    }

    private sealed class KeptLog : ILoggerFactory
    {
        private readonly List<(string Category, int Id, LogLevel Level, string Text)> _entries = [];

        public (string Category, int Id, LogLevel Level, string Text)[] Entries
        {
            get
            {
                lock (_entries) return [.. _entries];
            }
        }

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        private sealed class Logger(KeptLog log, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                lock (log._entries) log._entries.Add((category, eventId.Id, logLevel, formatter(state, exception)));
            }
        }
    }
}
