using System.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace ReplicatedSqlite.Node.Tests;

public sealed class EndpointTests
{
    private static readonly string[] _expected =
    [
        "replicatedsqlite_node_info", "replicatedsqlite_nodes_alive", "replicatedsqlite_journal_open", "replicatedsqlite_journal_sync_seconds_count", "replicatedsqlite_journal_written_bytes_total",
        "replicatedsqlite_copies_active", "replicatedsqlite_control_plane_reachable", "process_resident_memory_bytes", "process_cpu_seconds_total", "dotnet_gc_collections_total",
    ];

    [Fact]
    public async Task Each_node_of_a_cluster_answers_metrics_in_the_text_format()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("rs-metrics-").FullName;
        try
        {
            await using var cluster = await LocalCluster.StartAsync(
                new LocalClusterOptions { Regions = ["weur", "enam"], DataFolder = folder }, TimeProvider.System, new Random(1), NullLoggerFactory.Instance, cancellation);
            using var http = new HttpClient();
            foreach (var node in cluster.Nodes)
            {
                using var response = await http.GetAsync(new Uri(node.HttpAddress, "/metrics"), cancellation);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
                var metrics = Exposition.Parse(await response.Content.ReadAsStringAsync(cancellation));
                Assert.All(_expected, name => Assert.True(metrics.Has(name), name));
                Assert.Equal(1, metrics.Value("replicatedsqlite_node_info", ("region", node.Region), ("node", node.Id)));
                Assert.Equal(2, metrics.Value("replicatedsqlite_nodes_alive"));
                Assert.True(metrics.Value("replicatedsqlite_journal_sync_seconds_count") > 0);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
