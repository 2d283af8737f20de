using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Single-row inserts, durable when they are answered, beside our echo and beside the disk alone.</summary>
internal sealed class WritesScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private static readonly string _value = new('v', 100);

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Noise noise, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken);
        await using var grpc = new GrpcEchoClient(server.Ready.Echo);
        var payload = ByteString.CopyFrom(new byte[64]);
        var sessions = Enumerable.Range(0, options.Callers).Select(_ => table.Primary.WithSession()).ToArray();
        long answered = 0;
        async Task WriteAsync(int caller)
        {
            await sessions[caller].ExecuteAsync(Sql, [_value], cancellationToken: cancellationToken);
            Interlocked.Increment(ref answered);
        }

        var one = new Series("inserts, 1 session", 1, WriteAsync);
        var echo = new Series($"echo 64 B, {options.Callers} callers", options.Callers, _ => grpc.CallAsync(payload));
        var many = new Series($"inserts, {options.Callers} sessions", options.Callers, WriteAsync);
        var disk = new List<LoadResult> { DiskLimit.Measure(server.Folder, options.DiskLimit) };
        await Series.AlternateAsync(server, options, [one, echo, many]);
        disk.Add(DiskLimit.Measure(server.Folder, options.DiskLimit));
        await table.CheckRowsAsync(answered, cancellationToken);

        double? limit = noise.IsTooFar(DiskLimit.Name, [.. disk.Select(round => round.Rate)]) ? null : disk.Select(round => round.Rate).Median();
        return
        [
            .. DiskLimit.Report(disk),
            .. one.Report(limit),
            .. echo.Report(noise),
            .. many.Report(noise, echo),
        ];
    }
}
