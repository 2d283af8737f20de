using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The measured process, started from this same program.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private ServerProcess(Process process, string folder, IReadOnlyDictionary<string, Uri> addresses)
    {
        _process = process;
        _folder = folder;
        Addresses = addresses;
    }

    /// <summary>By region; <c>echo</c> for the echo server.</summary>
    public IReadOnlyDictionary<string, Uri> Addresses { get; }

    public static async Task<ServerProcess> StartAsync(string regions)
    {
        var folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ServerProcess).Assembly.Location);
        }

        foreach (var argument in new[] { "server", "--data", folder, "--regions", regions })
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server process ended before it was ready.");
        var addresses = line.Split(' ').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => new Uri(pair[1]));
        return new ServerProcess(process, folder, addresses);
    }

    /// <summary>Processor time that it has used so far.</summary>
    public async Task<double> CpuMicrosecondsAsync() => double.Parse(await AskAsync("cpu"), CultureInfo.InvariantCulture);

    /// <summary>Confirm lags since the last question, by region, in milliseconds.</summary>
    public async Task<IReadOnlyDictionary<string, double[]>> TakeLagsAsync() => (await AskAsync("lag"))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair[1].Split(',').Select(lag => double.Parse(lag, CultureInfo.InvariantCulture)).ToArray());

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _process.StandardInput.WriteLineAsync("stop");
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            _process.Kill();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> AskAsync(string question)
    {
        await _process.StandardInput.WriteLineAsync(question);
        return await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server process ended.");
    }
}
