using System.Collections.Concurrent;
using System.Diagnostics;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The real executable, as a process of its own.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NodeProcess(IReadOnlyList<string> launcher, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments)
    {
        // `env` undoes an ignored SIGINT, which a process started in a shell's background inherits.
        string[] words = [.. launcher, "env", "--default-signal=INT", .. environment.Select(pair => $"{pair.Key}={pair.Value}"), DotnetPath, Program, .. arguments];
        var start = new ProcessStartInfo(words[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in words[1..])
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("It ended before it was ready."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyList<string> Output => [.. _output];

    public string Errors => string.Join('\n', _errors);

    /// <summary>Of each region, in order; known when it is ready.</summary>
    public IReadOnlyList<string> GrpcAddresses => [.. Output.Where(line => line.Contains(" gRPC ")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2])];

    private static string DotnetPath => Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";

    private static string Program => Path.Combine(AppContext.BaseDirectory, "ReplicatedSqlite.Node.dll");

    /// <summary>Starts a cluster in a folder, on free ports, and waits for its <c>ready</c> line.</summary>
    public static async Task<NodeProcess> StartAsync(string folder)
    {
        var process = Begin(["--data", folder, "--grpc-port", "0", "--http-port", "0"]);
        try
        {
            await process._ready.Task.WaitAsync(_patience);
            return process;
        }
        catch (Exception e)
        {
            var output = process.ToString();
            await process.DisposeAsync();
            throw new InvalidOperationException($"The node did not become ready: {e.Message}\n{output}", e);
        }
    }

    /// <summary>Starts a process with these arguments; it may take its time to become ready.</summary>
    /// <param name="arguments">Of the executable.</param>
    /// <param name="launcher">What starts it, with arguments before it; empty for nothing.</param>
    /// <param name="environment">Variables in addition.</param>
    public static NodeProcess Begin(IReadOnlyList<string> arguments, IReadOnlyList<string>? launcher = null, IReadOnlyDictionary<string, string>? environment = null) =>
        new(launcher ?? [], environment ?? new Dictionary<string, string>(), arguments);

    /// <summary>Waits for its <c>ready</c> line.</summary>
    public async Task ReadyAsync(TimeSpan? patience = null)
    {
        try
        {
            await _ready.Task.WaitAsync(patience ?? _patience);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"The node did not become ready: {e.Message}\n{this}", e);
        }
    }

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it runs.</summary>
    public bool IsAlive => !_process.HasExited;

    /// <summary>Sends a signal by name and waits for nothing.</summary>
    public async Task SendAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Starts with these arguments and waits for the end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunToEndAsync(params string[] arguments)
    {
        await using var process = Begin(arguments);
        var code = await process.EndAsync();
        return (code, string.Join('\n', process.Output), process.Errors);
    }

    public IReadOnlyList<ReplicatedSqliteClient> Connect() => [.. GrpcAddresses.Select(address => new ReplicatedSqliteClient(address))];

    /// <summary>SIGKILL: nothing is flushed, nothing is closed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await EndAsync();
    }

    /// <summary>Sends a signal by name and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> SignalAsync(string signal)
    {
        await SendAsync(signal);
        return await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _ = _ready.Task.Exception; // seen
    }

    public override string ToString() => $"output:\n{string.Join('\n', Output)}\nerrors:\n{Errors}";

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The process did not end within {_patience.TotalSeconds} s.\n{this}");
        }

        return _process.ExitCode;
    }

    private void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is null)
        {
            return;
        }

        lines.Enqueue(line);
        if (line == "ready")
        {
            _ready.TrySetResult();
        }
    }
}
