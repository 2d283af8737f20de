using System.Diagnostics;
using System.Reflection;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>The scripts of <c>interop/</c> with their packages, installed once under <c>artifacts/</c> at the versions of the lock file.</summary>
internal static class NodePackages
{
    private static readonly SemaphoreSlim Gate = new(1);
    private static bool _isReady;

    /// <summary>The definitions of the product's services.</summary>
    public static string ProtoFolder { get; } = FromBuild("ProtoFolder");

    private static string WorkFolder { get; } = FromBuild("InteropWorkFolder");

    public static async Task<Process> StartAsync(string script, params string[] arguments)
    {
        await InstallAsync();
        return Start("node", [script, .. arguments]);
    }

    /// <summary>Starts a script that takes what it needs from its environment.</summary>
    public static async Task<Process> StartWithAsync(string script, params (string Name, string Value)[] environment)
    {
        await InstallAsync();
        return Start("node", [script], environment);
    }

    private static async Task InstallAsync()
    {
        await Gate.WaitAsync();
        try
        {
            if (_isReady) return;
            Directory.CreateDirectory(WorkFolder);
            var sources = Directory.GetFiles(FromBuild("InteropFolder"));
            foreach (var source in sources) File.Copy(source, Path.Combine(WorkFolder, Path.GetFileName(source)), overwrite: true);

            // The second file is written when npm is done: equal files mean that this very lock file is installed.
            var wanted = await File.ReadAllTextAsync(Path.Combine(WorkFolder, "package-lock.json"));
            var marker = Path.Combine(WorkFolder, "installed-lock.json");
            if (!File.Exists(marker) || await File.ReadAllTextAsync(marker) != wanted)
            {
                using var npm = Start("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
                var output = npm.StandardOutput.ReadToEndAsync();
                var errors = npm.StandardError.ReadToEndAsync();
                await npm.WaitForExitAsync();
                Assert.True(npm.ExitCode == 0, $"npm ci failed: {await output} {await errors}");
                await File.WriteAllTextAsync(marker, wanted);
            }

            _isReady = true;
        }
        finally
        {
            Gate.Release();
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = WorkFolder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start; install Node.js with npm.");
    }

    private static string FromBuild(string key) =>
        typeof(NodePackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
