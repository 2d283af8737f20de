using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Unary echoes of several sizes through our gRPC, each beside the same bytes through Kestrel and <see cref="HttpMessageInvoker"/> alone.</summary>
internal sealed class EchoScenario : Scenario
{
    private static readonly (int Bytes, string Name)[] _sizes = [(64, "64 B"), (1024, "1 KiB"), (64 * 1024, "64 KiB")];

    public override bool NeedsCluster => false;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        using var bare = new BareEchoClient(server.Ready.BareEcho);
        await using var grpc = new GrpcEchoClient(server.Ready.Echo);
        var random = new Random(options.Seed);
        var pairs = _sizes.Select(size =>
        {
            var bytes = new byte[size.Bytes];
            random.NextBytes(bytes);
            var message = ByteString.CopyFrom(bytes);
            return (
                Bare: new Series($"bare echo {size.Name}, {options.Callers} callers", options.Callers, _ => bare.CallAsync(bytes)),
                Ours: new Series($"echo {size.Name}, {options.Callers} callers", options.Callers, _ => grpc.CallAsync(message)));
        }).ToList();
        await Series.AlternateAsync(server, options, [.. pairs.SelectMany(pair => new[] { pair.Bare, pair.Ours })]);
        return [.. pairs.SelectMany(pair => pair.Bare.Report(remarks).Concat(pair.Ours.Report(remarks, pair.Bare)))];
    }
}
