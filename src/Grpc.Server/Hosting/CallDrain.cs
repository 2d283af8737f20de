using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Lets the calls of a server end in order when it stops: new ones are refused, those under way may finish. Thread-safe.</summary>
/// <remarks>Unary calls are not counted here, so that they cost nothing: Kestrel waits for them when it stops.</remarks>
#pragma warning disable CA1001 // It lives as long as the server, late calls look at the tokens, and sources without timers hold nothing unmanaged.
public sealed class CallDrain
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _begun = new();
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _streams = 1; // by Interlocked; one for the server itself, until it stops

    internal CallDrain()
    {
    }

    /// <summary>Cancelled when the server begins to stop: endless streams end then.</summary>
    internal CancellationToken Begun => _begun.Token;

    /// <summary>Cancelled when the patience with streams is over.</summary>
    internal CancellationToken Over => _over.Token;

    /// <summary>
    /// Refuses new calls with UNAVAILABLE from now on, ends endless streams, and gives the others this long; those that have not ended by then are ended with UNAVAILABLE.
    /// </summary>
    public async Task BeginAsync(TimeSpan patienceWithStreams, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        if (_begun.IsCancellationRequested) throw new InvalidOperationException("The server is stopping already.");
        await _begun.CancelAsync();
        LeaveStream();
        try
        {
            await _idle.Task.WaitAsync(patienceWithStreams, timeProvider);
        }
        catch (TimeoutException)
        {
            await _over.CancelAsync();
        }
    }

    internal void EnterStream() => Interlocked.Increment(ref _streams);

    internal void LeaveStream()
    {
        if (Interlocked.Decrement(ref _streams) == 0) _idle.TrySetResult();
    }

    /// <summary>Refuses a call that begins while the server stops.</summary>
    internal void ThrowIfBegun(bool reportsSqlErrors)
    {
        if (!_begun.IsCancellationRequested) return;
        const string Text = "This server is stopping and takes no new calls. Nothing was done; try again, elsewhere if there is an elsewhere.";
        throw reportsSqlErrors ? new RequestException(ErrorCodes.NoPrimary, Text) : new RpcException(StatusCode.Unavailable, Text);
    }
}
