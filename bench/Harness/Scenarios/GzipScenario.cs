using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Unary answers of several sizes in gzip, each beside the same answer as it is.</summary>
internal sealed class GzipScenario : Scenario
{
    public override bool NeedsCluster => false;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var plain = new GrpcChannel(server.Ready.Gzip);
        await using var gzip = new GrpcChannel(server.Ready.Gzip, new GrpcChannelOptions { AcceptGzip = true });
        var sizes = RowsAnswer.Sizes.Select(size =>
        {
            var wanted = RowsAnswer.Create(size);
            return (
                Name: $"{size / 1024} KiB",
                Answer: wanted,
                Plain: new Series($"plain, {size / 1024} KiB, {options.Callers} callers", options.Callers, _ => CallAsync(plain, size, wanted)),
                Gzip: new Series($"gzip, {size / 1024} KiB, {options.Callers} callers", options.Callers, _ => CallAsync(gzip, size, wanted)));
        }).ToList();
        await Series.AlternateAsync(server, options, [.. sizes.SelectMany(size => new[] { size.Plain, size.Gzip })]);
        return [.. sizes.SelectMany(size => (BenchResult[])[.. size.Plain.Report(remarks), .. size.Gzip.Report(remarks, size.Plain), Sent(size.Name, size.Answer)])];
    }

    private static async Task CallAsync(GrpcChannel channel, int size, ExecuteResponse wanted)
    {
        var answer = await channel.CallAsync(EchoServers.Rows, new Int32Value { Value = size });
        if (!answer.Equals(wanted))
        {
            throw new BenchException($"The answer of {size} bytes came as another one of {answer.CalculateSize()}.");
        }
    }

    private static BenchResult Sent(string name, ExecuteResponse answer)
    {
        var (before, after) = (answer.CalculateSize(), GzipPayload.Compress(answer).Length);
        return new BenchResult($"gzip, {name}: sent", "B/call", 1, after, null, after, before, (double)after / before);
    }
}
