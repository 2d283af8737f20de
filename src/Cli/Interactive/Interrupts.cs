using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Cli;

/// <summary>What Ctrl-C ends: the statement that runs, if a person runs it; else the program. A second time, within the same statement, the program in any case.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _program = new();
    private readonly PosixSignalRegistration? _signal;
    private CancellationTokenSource? _statement; // under _gate

    /// <param name="listens">Off in tests, which call <see cref="Raise"/>.</param>
    public Interrupts(bool listens)
    {
        if (!listens) return;
        _signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = Raise(); // the second time the default, which ends the process
        });
    }

    /// <summary>Cancelled when the program is to end.</summary>
    public CancellationToken Token => _program.Token;

    /// <summary>A statement begins that Ctrl-C is to end alone. One at a time.</summary>
    public CancellationTokenSource BeginStatement(CancellationToken cancellationToken)
    {
        var statement = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (_gate) _statement = statement;
        return statement;
    }

    /// <summary>It has ended.</summary>
    public void EndStatement()
    {
        lock (_gate) _statement = null;
    }

    /// <summary>Ctrl-C.</summary>
    /// <returns>Something takes note of it that did not know yet.</returns>
    public bool Raise()
    {
        lock (_gate)
        {
            var wanted = _statement ?? _program;
            if (wanted.IsCancellationRequested) return false;
            _ = wanted.CancelAsync();
            return true;
        }
    }

    public void Dispose()
    {
        _signal?.Dispose();
        _program.Dispose();
    }
}
