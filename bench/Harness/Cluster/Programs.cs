using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Other programs that a run starts.</summary>
internal static class Programs
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Where a program is; <see langword="null"/> if the PATH does not lead to it.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Where(static folder => folder.Length > 0).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote to its standard output.</returns>
    /// <exception cref="BenchException">It failed; the text has what it said.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "" };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(_patience);
        return process.ExitCode == 0
            ? await output
            : throw new BenchException($"{program} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}: {(await errors + await output).Trim()}");
    }

    /// <summary>Starts a program whose output goes to a file, so that nobody has to read a pipe.</summary>
    public static Process Begin(string program, IEnumerable<string> arguments, string log, string? folder = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, program, .. arguments]) { WorkingDirectory = folder ?? "" };
        return Process.Start(start)!;
    }

    /// <summary>Ends a process that was started here and waits for it.</summary>
    public static async Task EndAsync(Process process, bool kill = false)
    {
        if (!process.HasExited)
        {
            if (kill)
            {
                process.Kill(entireProcessTree: true);
            }
            else
            {
                await RunAsync("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            }
        }

        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    /// <summary>Waits until something is so.</summary>
    /// <exception cref="BenchException">It took too long.</exception>
    public static async Task UntilAsync(Func<Task<bool>> isSo, string what, TimeSpan? patience = null)
    {
        var pause = TimeSpan.FromMilliseconds(10);
        var started = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(started) > (patience ?? _patience))
            {
                throw new BenchException($"Waited {(patience ?? _patience).TotalSeconds} s in vain until {what}.");
            }

            await Task.Delay(pause);
        }
    }
}
