using System.Diagnostics;
using System.Text;

namespace ReplicatedSqlite.EndToEnd.Shell;

/// <summary>rsql at a terminal that a test types on; <c>script</c> of util-linux makes the terminal.</summary>
internal sealed class PseudoTerminal : IAsyncDisposable
{
    private const string Script = "/usr/bin/script";

    private readonly Process _process;
    private readonly StringBuilder _shown = new(); // under its own lock
    private readonly Task _reading;
    private int _seen; // what was waited for lies before here

    private PseudoTerminal(Process process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    public static bool IsThere => File.Exists(Script);

    public static PseudoTerminal Start(string home, int columns, params string[] arguments)
    {
        var rsql = string.Join(' ', arguments.Prepend(RsqlProcess.Program).Select(argument => $"'{argument}'"));
        var start = new ProcessStartInfo(Script, ["-qfec", $"stty cols {columns} rows 40; exec env --default-signal=INT dotnet exec {rsql}", "/dev/null"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["TERM"] = "xterm";
        start.Environment["HOME"] = home;
        start.Environment.Remove("XDG_STATE_HOME");
        return new PseudoTerminal(Process.Start(start)!);
    }

    /// <summary>Everything that was shown, control sequences included.</summary>
    public string Shown
    {
        get
        {
            lock (_shown)
            {
                return _shown.ToString();
            }
        }
    }

    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until a text is shown behind what was waited for before.</summary>
    public async Task SeesAsync(string text)
    {
        await Eventually.TrueAsync(() => Shown.IndexOf(text, _seen, StringComparison.Ordinal) >= 0, $"'{text}' is shown; it is:\n{Shown[_seen..]}");
        _seen = Shown.IndexOf(text, _seen, StringComparison.Ordinal) + text.Length;
    }

    public async Task<int> EndsAsync()
    {
        await _process.WaitForExitAsync().InTimeAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new char[4096];
        while (await _process.StandardOutput.ReadAsync(buffer) is var count and > 0)
        {
            lock (_shown)
            {
                _shown.Append(buffer, 0, count);
            }
        }
    }
}
