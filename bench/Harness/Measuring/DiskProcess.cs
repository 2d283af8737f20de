using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Processes that append 4 KiB and sync, all at once, each to a file of its own: what as many followers' disks can do at best when they share a machine.</summary>
internal sealed class DiskProcess : IDisposable
{
    private readonly List<Process> _processes = [];

    /// <param name="folder">On the disk that the servers use.</param>
    /// <param name="count">How many.</param>
    public DiskProcess(string folder, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var own = Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"disk-{i}"))).FullName;
            var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])[typeof(DiskProcess).Assembly.Location, "disk", "--folder", own])
            {
                start.ArgumentList.Add(argument);
            }

            _processes.Add(Process.Start(start)!);
        }
    }

    public string Name => string.Create(CultureInfo.InvariantCulture, $"disk: 4 KiB append and fdatasync, {_processes.Count} at once");

    /// <summary>The process that is asked for it: for as many seconds as each line says.</summary>
    public static int Serve(string folder, TextReader orders, TextWriter answers)
    {
        while (orders.ReadLine() is { } seconds)
        {
            var result = DiskLimit.Measure(folder, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
            answers.WriteLine(JsonSerializer.Serialize(new DiskAnswer(result.Calls, result.Elapsed.TotalSeconds, result.Latency.Percentile(50))));
            answers.Flush();
        }

        return 0;
    }

    /// <summary>Lets them run for a while.</summary>
    /// <returns>Appends of one process, on average.</returns>
    public async Task<LoadResult> RunAsync(TimeSpan duration)
    {
        var answers = await Task.WhenAll(_processes.Select(process => AskAsync(process, duration)));
        var latency = new LatencyHistogram();
        foreach (var answer in answers)
        {
            latency.Record((long)answer.MedianNs);
        }

        return new LoadResult((long)answers.Average(answer => answer.Calls), TimeSpan.FromSeconds(answers.Average(answer => answer.Seconds)), latency, 0, 0, 0);
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private static async Task<DiskAnswer> AskAsync(Process process, TimeSpan duration)
    {
        await process.StandardInput.WriteLineAsync(duration.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        await process.StandardInput.FlushAsync();
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new BenchException("A process that measures the disk ended.");
        return JsonSerializer.Deserialize<DiskAnswer>(line)!;
    }

    private sealed record DiskAnswer(long Calls, double Seconds, double MedianNs);
}
