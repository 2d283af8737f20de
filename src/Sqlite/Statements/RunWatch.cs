using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Stops what runs on a connection when its time is over or its caller has gone.</summary>
/// <remarks>
/// SQLite asks it every thousand steps of its virtual machine, on the thread that runs the statement. So there is no timer, and none that can go
/// off late and hit the next request.
/// </remarks>
internal sealed class RunWatch(TimeProvider time)
{
    /// <summary>How often SQLite asks: some 20 to 100 microseconds apart.</summary>
    public const int StepsBetweenLooks = 1000;

    private long _started;
    private TimeSpan _timeout;
    private CancellationToken _cancellation;
    private int _looksLeft; // of a request that must be short; 0: it need not be
    private volatile bool _isInTheWay;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>The running request's limit.</summary>
    public TimeSpan Timeout => _timeout;

    /// <summary>The running request's caller.</summary>
    public CancellationToken Cancellation => _cancellation;

    /// <summary>The time of the running request is over.</summary>
    public bool IsOver => _timeout > TimeSpan.Zero && Time.GetElapsedTime(_started) >= _timeout;

    /// <summary>The running request was to be short, and was not.</summary>
    public bool WasCutShort { get; private set; }

    /// <summary>What runs is to end, because it keeps the WAL from being restarted. Set by any thread, for as long as the connection is lent to the same read.</summary>
    public bool IsInTheWay
    {
        get => _isInTheWay;
        set => _isInTheWay = value;
    }

    /// <summary>A request starts. A timeout of zero or less means none.</summary>
    public void Start(TimeSpan timeout, CancellationToken cancellation)
    {
        _started = timeout > TimeSpan.Zero ? Time.GetTimestamp() : 0;
        _timeout = timeout;
        _cancellation = cancellation;
        _looksLeft = 0;
        WasCutShort = false;
    }

    /// <summary>The request that has started is interrupted after one to two thousand steps.</summary>
    /// <remarks>A statement's steps are counted over all its runs, so that the first look may come at any time: only the second one counts.</remarks>
    public void BeShort() => _looksLeft = 2;

    /// <summary>The request has ended: what comes next has no limit, until it sets one.</summary>
    public void Stop()
    {
        _timeout = TimeSpan.Zero;
        _cancellation = default;
        _looksLeft = 0;
    }

    /// <summary>The function for <c>sqlite3_progress_handler</c>; its context is a <see cref="GCHandle"/> of the watch. Not zero: interrupt.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Callback(nint context)
    {
        var watch = (RunWatch)GCHandle.FromIntPtr(context).Target!;
        if (watch._looksLeft > 0 && --watch._looksLeft == 0)
        {
            watch.WasCutShort = true;
        }

        return watch.WasCutShort || watch._isInTheWay || watch._cancellation.IsCancellationRequested || watch.IsOver ? 1 : 0;
    }
}
