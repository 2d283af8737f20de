using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using ReplicatedSqlite.Testing;

[assembly: AssemblyFixture(typeof(ReplicatedSqlite.ColdStorage.Tests.S3Fixture))]

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A real S3-compatible store on loopback, started once for all tests; those skip with the reason where it cannot be.</summary>
public sealed class S3Fixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private string? _script;

    /// <summary>Why there is none.</summary>
    public string? Reason { get; private set; }

    public S3StoreOptions Options { get; private set; } = new() { Bucket = "none" };

    public string Folder => Path.Combine(_folder.Path, "s3");

    public async ValueTask InitializeAsync()
    {
        _script = Environment.GetEnvironmentVariable("RS_TEST_S3") ?? FindScript();
        if (_script is null)
        {
            Reason = "no S3 store to start: '../shared/s3/s3' beside the repository is missing, and RS_TEST_S3 names none";
            return;
        }

        try
        {
            var settings = await RunAsync("up", FreePorts.TakeRow(5).ToString(System.Globalization.CultureInfo.InvariantCulture), Folder);
            Options = new S3StoreOptions
            {
                Bucket = settings["S3_BUCKET"],
                Endpoint = new Uri(settings["S3_ENDPOINT"]),
                Region = settings["S3_REGION"],
                AccessKey = settings["S3_ACCESS_KEY"],
                SecretKey = settings["S3_SECRET_KEY"],
                PartBytes = 5 << 20,
            };
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or KeyNotFoundException)
        {
            Reason = $"the S3 store did not start: {e.Message}";
        }
    }

    /// <summary>Starts what was killed.</summary>
    public Task RestartAsync() => RunAsync("up", Options.Endpoint!.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), Folder);

    /// <summary>The process of one of its servers.</summary>
    public int PidOf(string role) => int.Parse(File.ReadAllText(Path.Combine(Folder, "run", role + ".pid")), System.Globalization.CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (_script is not null && Reason is null)
        {
            await RunAsync("down", Folder);
        }

        _folder.Dispose();
    }

    private static string? FindScript()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ReplicatedSqlite.sln")))
            {
                var script = Path.Combine(folder.Parent?.FullName ?? "/", "shared", "s3", "s3");
                return File.Exists(script) ? script : null;
            }
        }

        return null;
    }

    private async Task<Dictionary<string, string>> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(_script!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output.Split('\n').Select(static line => line.Replace("export ", "", StringComparison.Ordinal).Split('=', 2)).Where(static pair => pair.Length == 2)
                .ToDictionary(static pair => pair[0].Trim(), static pair => pair[1].Trim().Trim('"', '\''))
            : throw new InvalidOperationException($"'s3 {string.Join(' ', arguments)}' ended with {process.ExitCode}: {await errors}");
    }
}
