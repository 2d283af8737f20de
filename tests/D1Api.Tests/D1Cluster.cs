using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>Three regions in this process, and HTTP to each of them.</summary>
internal sealed class D1Cluster : IAsyncDisposable
{
    public const string Account = "test-account";

    private readonly TemporaryFolder _folder;
    private readonly LocalCluster _cluster;
    private readonly SocketsHttpHandler _connections = new() { UseCookies = false, AllowAutoRedirect = false };

    private D1Cluster(TemporaryFolder folder, LocalCluster cluster)
    {
        _folder = folder;
        _cluster = cluster;
        Http = new HttpClient(_connections) { Timeout = TimeSpan.FromSeconds(30) };
    }

    public HttpClient Http { get; }

    public static async Task<D1Cluster> StartAsync(Func<NodeOptions, NodeOptions>? configure = null)
    {
        var folder = new TemporaryFolder();
        try
        {
            var options = new LocalClusterOptions { DataFolder = folder.Path, Configure = configure ?? (static node => node) };
            return new D1Cluster(folder, await LocalCluster.StartAsync(options, TimeProvider.System, new Random(1), NullLoggerFactory.Instance));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The same node by gRPC.</summary>
    public GrpcChannel OpenChannel() => new(_cluster.Nodes[0].GrpcAddress);

    /// <summary>A new token for the whole cluster.</summary>
    public async Task<string> CreateTokenAsync(Right right, params string[] databases)
    {
        await using var channel = new GrpcChannel(_cluster.Nodes[0].GrpcAddress);
        return (await channel.CallAsync(AdminMethods.CreateToken, new CreateTokenRequest { Name = "test", Right = right, Databases = { databases } })).Secret;
    }

    /// <summary>A way to a region's node, which the caller disposes.</summary>
    public GrpcChannel Channel(int region, string? token = null) =>
        new(_cluster.Nodes[region].GrpcAddress, new GrpcChannelOptions { Headers = token is null ? null : new Metadata { { "authorization", $"Bearer {token}" } } });

    /// <summary>Where a region's node keeps the files of imports and exports.</summary>
    public string TransferFolder(int region) => Path.Combine(_folder.Path, new[] { "enam", "weur", "apac" }[region], "transfers");

    /// <summary>The port of a region's node.</summary>
    public Uri Port(int region = 0) => _cluster.Nodes[region].HttpAddress;

    /// <summary>Where clients are pointed.</summary>
    public string Base(int region = 0) => $"{Port(region).GetLeftPart(UriPartial.Authority)}/client/v4";

    public Uri Database(string path = "", int region = 0) => new($"{Base(region)}/accounts/{Account}/d1/database{path}");

    /// <summary>Posts JSON and gives the envelope back.</summary>
    public async Task<(int Status, JsonElement Envelope, HttpResponseMessage Response)> PostAsync(string path, object body, int region = 0, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Database(path, region)) { Content = JsonContent.Create(body) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await ReadAsync(await Http.SendAsync(request));
    }

    public static async Task<(int Status, JsonElement Envelope, HttpResponseMessage Response)> ReadAsync(HttpResponseMessage response)
    {
        Assert.True(
            response.Content.Headers.ContentType?.MediaType == "application/json",
            $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri} answered {(int)response.StatusCode} as {response.Content.Headers.ContentType}: {await response.Content.ReadAsStringAsync()}");
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(), response);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _connections.Dispose();
        await _cluster.DisposeAsync();
        _folder.Dispose();
    }
}
