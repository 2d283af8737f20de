using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Node;

/// <summary>The first Ctrl-C or SIGTERM asks the process to stop cleanly, which takes a while; a second one stops it at once, and so does the end of patience. Nothing answered is lost by that.</summary>
internal sealed class StopSignals : IDisposable
{
    private const int EndedBySignal = 130;

    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Timer _impatience;
    private int _signals; // by Interlocked

    public StopSignals()
    {
        _impatience = new Timer(_ => End("it did not end by itself"));
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stopping.Token;

    /// <summary>What has not ended so long after the first signal would not end at all.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _impatience.Dispose();
        _stopping.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _signals) > 1)
        {
            End("a second signal came");
        }

        _impatience.Change(Patience, Timeout.InfiniteTimeSpan);
        _ = _stopping.CancelAsync(); // not here: whatever it starts must not keep the next signal waiting
    }

    private static void End(string reason)
    {
        Console.Error.WriteLine($"run: stopped at once: {reason}");
        Environment.Exit(EndedBySignal);
    }
}
