using System.Diagnostics;
using ReplicatedSqlite.Grpc.Tests;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>Cloudflare's own clients, pointed at a node.</summary>
public sealed class ClientTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("sdk.mjs")]
    [InlineData("sessions.mjs")]
    [InlineData("orms.mjs")]
    [InlineData("worker-parity.mjs")]
    [InlineData("drizzle-kit.mjs")]
    [InlineData("wrangler.mjs")]
    public async Task A_client_of_D1_works_unchanged(string script)
    {
        await using var cluster = await D1Cluster.StartAsync();
        using var client = await NodePackages.StartWithAsync(
            script, ("D1_BASE", cluster.Base()), ("D1_FAR", cluster.Base(2)), ("D1_TOKEN", await cluster.CreateTokenAsync(Right.Admin)));
        var (output, errors) = (client.StandardOutput.ReadToEndAsync(), client.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await client.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            client.Kill(entireProcessTree: true);
        }

        Assert.True(client.ExitCode == 0 && (await output).TrimEnd().EndsWith("ok", StringComparison.Ordinal), $"{script} ended with {client.ExitCode}:\n{await output}\n{await errors}");
    }
}
