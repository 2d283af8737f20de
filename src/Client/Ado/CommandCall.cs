using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>One execution of a command: what may end it early, and what is then reported.</summary>
/// <remarks>Ended by its caller's token, by <c>Cancel</c> from another thread, or by its time.</remarks>
internal sealed class CommandCall : CancellationTokenSource
{
    private static readonly Spares<CommandCall> _spares = new(capacity: 32);

    private TimeSpan _timeout;
    private bool _mayWrite;
    private int _isCancelled; // by Cancel

    public CommandCall(int timeoutSeconds, bool mayWrite) => Begin(timeoutSeconds, mayWrite);

    /// <summary>One that was used before, if there is any; <see cref="Release"/> it.</summary>
    public static CommandCall Rent(int timeoutSeconds, bool mayWrite)
    {
        if (_spares.TryTake() is not { } spare) return new CommandCall(timeoutSeconds, mayWrite);
        spare.Begin(timeoutSeconds, mayWrite);
        return spare;
    }

    /// <summary>It is over, and nobody else knows of it: another execution may use it, unless it was ended early.</summary>
    public void Release()
    {
        if (TryReset()) _spares.Keep(this);
        else Dispose();
    }

    /// <summary>From another thread: the statement is to stop.</summary>
    public void Stop()
    {
        Interlocked.Exchange(ref _isCancelled, 1);
        try
        {
            Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    /// <summary>Waits for something of this call.</summary>
    public async Task<T> WaitAsync<T>(ValueTask<T> work, CancellationToken cancellationToken)
    {
        if (_timeout != System.Threading.Timeout.InfiniteTimeSpan) CancelAfter(_timeout);
        var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), this);
        await using (registration.ConfigureAwait(false))
        {
            try
            {
                return await work.ConfigureAwait(false);
            }
            catch (OperationCanceledException e)
            {
                throw Translate(e, cancellationToken);
            }
            finally
            {
                if (_timeout != System.Threading.Timeout.InfiniteTimeSpan && !IsCancellationRequested) CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>What a cancellation means to the caller.</summary>
    public Exception Translate(OperationCanceledException exception, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return new OperationCanceledException(exception.Message, exception, cancellationToken);
        if (!IsCancellationRequested) return exception;
        var (code, what) = Volatile.Read(ref _isCancelled) != 0
            ? ("SQLITE_INTERRUPT", "The command was cancelled.")
            : (StatusName.DeadlineExceeded, $"The command took longer than its {_timeout.TotalSeconds:0} s (Command Timeout).");
        return new Failure(_mayWrite ? Protocol.ErrorCodes.WriteOutcomeUnknown : code, _mayWrite ? what + " Whether it wrote is unknown." : what)
        {
            SqliteCode = code == "SQLITE_INTERRUPT" && !_mayWrite ? 9 : 0,
            CommitState = _mayWrite ? CommitState.Unknown : CommitState.NotCommitted,
            Cause = exception,
        }.ToException();
    }

    private void Begin(int timeoutSeconds, bool mayWrite)
    {
        _timeout = timeoutSeconds == 0 ? System.Threading.Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(timeoutSeconds);
        _mayWrite = mayWrite;
        _isCancelled = 0;
    }
}
