using System.Diagnostics;
using System.Diagnostics.Metrics;

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
}
