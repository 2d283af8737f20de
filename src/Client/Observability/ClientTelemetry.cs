using System.Diagnostics;
using System.Diagnostics.Metrics;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Names of the client's traces and metrics, by OpenTelemetry's conventions for databases. Values of parameters and literals never appear in them.</summary>
/// <remarks>Nothing is computed while nobody listens, and nothing is buffered here.</remarks>
public static class ReplicatedSqliteTelemetry
{
    /// <summary>The name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string SourceName = "ReplicatedSqlite";
}

/// <summary>The instruments.</summary>
internal static class ClientTelemetry
{
    public const string System = "replicatedsqlite";

    public static readonly ActivitySource Source = new(ReplicatedSqliteTelemetry.SourceName);
    private static readonly Meter _meter = new(ReplicatedSqliteTelemetry.SourceName);

    public static readonly Histogram<double> Duration = _meter.CreateHistogram(
        "db.client.operation.duration",
        unit: "s",
        description: "Duration of database client operations.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] });

    public static readonly Histogram<long> ReturnedRows = _meter.CreateHistogram<long>(
        "db.client.response.returned_rows", unit: "{row}", description: "Rows that an operation returned.");

    private static readonly Counter<long> _retries = _meter.CreateCounter<long>(
        "replicatedsqlite.client.retries", unit: "{attempt}", description: "Attempts that were made again, by what the one before ended with.");

    /// <summary>Where a call was answered, on the activity that is under way.</summary>
    public static void TellServer(Uri address, int failures)
    {
        if (Activity.Current is not { } activity || activity.Source != Source || !activity.IsAllDataRequested) return;
        activity.SetTag("server.address", address.Host);
        activity.SetTag("server.port", address.Port);
        if (failures > 0) activity.SetTag("replicatedsqlite.failed_attempts", failures);
    }

    public static void Retried(RpcException failure)
    {
        if (!_retries.Enabled) return;
        var code = failure.FindDetail<SqlError>()?.Code ?? StatusName.Of(failure.StatusCode);
        _retries.Add(1, new KeyValuePair<string, object?>("error.type", code));
    }
}
