using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Node;

/// <summary>The first Ctrl-C or SIGTERM stops a node cleanly, which takes a while; a second one stops it at once. Nothing answered is lost by that.</summary>
internal sealed class SecondSignal : IDisposable
{
    private const int EndedBySignal = 130;

    private readonly PosixSignalRegistration[] _registrations;
    private int _signals; // by Interlocked

    private SecondSignal() =>
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];

    /// <summary>Watches until the result is disposed.</summary>
    public static SecondSignal Watch() => new();

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _signals) > 1)
        {
            Console.Error.WriteLine("run: stopped at once by a second signal");
            Environment.Exit(EndedBySignal);
        }
    }
}
