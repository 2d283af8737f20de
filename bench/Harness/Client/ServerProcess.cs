using System.Diagnostics;
using System.Text.Json;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>This program once more, as the process that is called. Its folder goes with it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly SemaphoreSlim _turn = new(1);

    private ServerProcess(Process process, string folder)
    {
        _process = process;
        Folder = folder;
    }

    /// <summary>A folder on the disk that the servers use.</summary>
    public string Folder { get; }

    public ServerReady Ready { get; private set; } = null!;

    /// <summary>Starts the echo servers, and a cluster if there are regions.</summary>
    public static Task<ServerProcess> StartAsync(IReadOnlyList<string> regions, CancellationToken cancellationToken) =>
        StartAsync(Directory.CreateTempSubdirectory("rs-bench-").FullName, regions, keepsLog: false, cancellationToken);

    /// <summary>The same with a folder that may hold a cluster's data already.</summary>
    /// <param name="folder">It goes with the process.</param>
    /// <param name="regions">Of the cluster.</param>
    /// <param name="keepsLog">Primaries make no checkpoint.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<ServerProcess> StartAsync(string folder, IReadOnlyList<string> regions, bool keepsLog, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(ServerProcess).Assembly.Location);
        start.ArgumentList.Add("server");
        if (regions.Count > 0)
        {
            start.ArgumentList.Add("--data");
            start.ArgumentList.Add(Path.Combine(folder, "data"));
            start.ArgumentList.Add("--regions");
            start.ArgumentList.Add(string.Join(',', regions));
            if (keepsLog)
            {
                start.ArgumentList.Add("--keeps-log");
            }
        }

        var server = new ServerProcess(Process.Start(start)!, folder);
        try
        {
            server.Ready = await server.ReadAsync<ServerReady>(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task<ProcessUsage> UsageAsync() => AskAsync<ProcessUsage>(ControlCommand.Usage);

    public Task ResetLagAsync() => AskAsync<bool>(ControlCommand.ResetLag);

    public Task<IReadOnlyList<LagSummary>> LagAsync() => AskAsync<IReadOnlyList<LagSummary>>(ControlCommand.Lag);

    /// <summary>Log entries that primaries have written since the start.</summary>
    public Task<long> GroupsAsync() => AskAsync<long>(ControlCommand.Groups);

    /// <summary>As a crash does it. The folder stays.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _turn.Dispose();
    }

    /// <summary>Stops it cleanly, or by force when that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using (var patience = new CancellationTokenSource(_patience))
        {
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
        _turn.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task<T> AskAsync<T>(string command)
    {
        await _turn.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(command);
            await _process.StandardInput.FlushAsync();
            return await ReadAsync<T>(CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<T> ReadAsync<T>(CancellationToken cancellationToken)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(_patience, cancellationToken);
        return line is null
            ? throw new BenchException("The server process ended before it answered; what it wrote to standard error says why.")
            : JsonSerializer.Deserialize<T>(line)!;
    }
}
