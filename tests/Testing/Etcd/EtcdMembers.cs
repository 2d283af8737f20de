using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace ReplicatedSqlite.Testing;

/// <summary>An etcd of three members, of which one at a time may be away.</summary>
public sealed class EtcdMembers : IAsyncDisposable
{
    private const int Count = 3;
    private static readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(1) };

    private readonly EtcdServer[] _members;

    private EtcdMembers(EtcdServer[] members) => _members = members;

    /// <summary>Each of them.</summary>
    public IReadOnlyList<EtcdServer> Members => _members;

    /// <summary>Starts all and waits until they answer.</summary>
    public static async Task<EtcdMembers> StartAsync()
    {
        var ports = FreePorts.Take(Count * 2);
        Uri[] peers = [.. ports.Skip(Count).Select(Address)];
        var started = new EtcdMembers([.. ports.Take(Count).Select((port, i) => EtcdServer.Member(i, Address(port), peers))]);
        try
        {
            await Task.WhenAll(started._members.Select(member => member.StartAsync()));
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>The number of the one that leads the others, as those say that answer.</summary>
    public async Task<int> LeaderAsync()
    {
        while (true)
        {
            var answers = await Task.WhenAll(_members.Select(StatusAsync));
            var leader = Array.FindIndex(answers, answer => answer is { } own && own.Leader == own.Id);
            if (leader >= 0 && answers.Count(answer => answer?.Leader == answers[leader]!.Value.Id) > Count / 2)
            {
                return leader;
            }

            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            await member.DisposeAsync();
        }
    }

    private static Uri Address(int port) => new($"http://127.0.0.1:{port}");

    private static async Task<(string Id, string? Leader)?> StatusAsync(EtcdServer member)
    {
        try
        {
            using var answer = await _http.PostAsJsonAsync(new Uri(member.Endpoint, "/v3/maintenance/status"), new JsonObject());
            var status = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            return (status["header"]!["member_id"]!.GetValue<string>(), status["leader"]?.GetValue<string>());
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }
}
