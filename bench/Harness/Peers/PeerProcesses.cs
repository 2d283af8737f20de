using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The processes of a peer: started in its folder, ended with it, as a user of their own where they refuse to be root.</summary>
internal sealed class PeerProcesses(string folder, string? user = null) : IAsyncDisposable
{
    private readonly List<(Process Process, string Log)> _processes = [];

    public string Folder => folder;

    /// <summary>Gives the folder to the user.</summary>
    public async Task PrepareAsync()
    {
        if (user is not null && Environment.IsPrivilegedProcess)
        {
            var root = Path.GetTempPath().TrimEnd('/');
            for (var parent = folder; parent is not null && parent.Length > root.Length && parent.StartsWith(root, StringComparison.Ordinal); parent = Path.GetDirectoryName(parent))
            {
                await Programs.RunAsync("chmod", ["a+x", parent]); // temporary folders are their owner's alone
            }

            await Programs.RunAsync("chown", [user, folder]);
        }
    }

    /// <summary>Runs a program to its end, as the user.</summary>
    public Task<string> RunAsync(string program, params string[] arguments)
    {
        var (first, rest) = As(program, arguments);
        return Programs.RunAsync(first, rest, folder);
    }

    /// <summary>Starts a program that goes on, as the user.</summary>
    public void Begin(string program, params string[] arguments)
    {
        var log = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"log-{_processes.Count}"));
        var (first, rest) = As(program, arguments);
        _processes.Add((Programs.Begin(first, rest, log, folder), log));
    }

    /// <summary>Waits until something answers; a process that has ended is an error with what it said.</summary>
    public Task UntilAsync(Func<Task<bool>> answers, string what) => Programs.UntilAsync(
        async () =>
        {
            foreach (var (process, log) in _processes)
            {
                if (process.HasExited)
                {
                    throw new BenchException($"A process ended before {what}: {string.Join('\n', (await File.ReadAllLinesAsync(log)).TakeLast(10))}");
                }
            }

            try
            {
                return await answers();
            }
            catch (Exception e) when (e is BenchException or HttpRequestException or IOException or System.Text.Json.JsonException or System.Data.Common.DbException)
            {
                return false; // not yet
            }
        },
        what);

    public async ValueTask DisposeAsync()
    {
        foreach (var (process, _) in _processes.AsEnumerable().Reverse())
        {
            await Programs.EndAsync(process, kill: true);
        }
    }

    private (string Program, string[] Arguments) As(string program, string[] arguments) => user is null || !Environment.IsPrivilegedProcess
        ? (program, arguments)
        : ("setpriv", ["--reuid", user, "--regid", user, "--init-groups", program, .. arguments]);
}
