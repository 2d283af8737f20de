using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What does our gRPC cost over the least that Kestrel and HttpClient can do with the same bytes?</summary>
internal sealed class EchoScenario : IScenario
{
    private static readonly int[] _sizes = [64, 1024, 65536];

    public string Name => "echo";

    public async Task RunAsync(ServerProcess server, RunOptions options, List<Result> results, List<string> notes)
    {
        await using var clients = new EchoClients(server.Addresses["echo"]);
        foreach (var size in _sizes)
        {
            var bytes = new byte[size];
            new Random(options.Seed).NextBytes(bytes);
            var payload = ByteString.CopyFrom(bytes);
            var pair = new Alternation(server, options);
            await pair.RunAsync(("gRPC echo", _ => clients.OursAsync(payload)), ("bare echo", _ => clients.BareAsync(bytes)));
            pair.Report($", {size} B, {options.Callers} callers", results, notes);
        }
    }
}
