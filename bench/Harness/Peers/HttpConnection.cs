using System.Text;
using System.Text.Json;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>JSON over HTTP/1.1, one kept-alive connection a caller.</summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, MaxConnectionsPerServer = 1, ActivityHeadersPropagator = null });

    /// <summary>Posts, and gives the answer's JSON.</summary>
    /// <exception cref="BenchException">It was refused.</exception>
    public async Task<JsonElement> PostAsync(Uri address, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(address, content);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode
            ? JsonElement.Parse(bytes)
            : throw new BenchException($"{address} answered {(int)response.StatusCode}: {Encoding.UTF8.GetString(bytes)}");
    }

    public void Dispose() => _http.Dispose();
}
