using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What the runtime does not offer: syncing data without the file's times, and sleeping more finely than a millisecond.</summary>
internal static partial class Libc
{
    private const int ClockMonotonic = 1;
    private const int TimerAbsolute = 1;
    private const int NewNetwork = 0x40000000;

    /// <exception cref="IOException">The disk refused.</exception>
    public static void SyncData(SafeFileHandle file)
    {
        if (FDataSync(file) != 0)
        {
            throw new IOException($"fdatasync failed with error {Marshal.GetLastPInvokeError()}.");
        }
    }

    /// <summary>Sleeps until the clock behind <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> shows a time in nanoseconds.</summary>
    public static void SleepUntil(long nanoseconds)
    {
        var until = new TimeSpec(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        while (ClockNanosleep(ClockMonotonic, TimerAbsolute, until, 0) != 0)
        {
            // a signal woke it; the end is absolute
        }
    }

    /// <summary>Puts the calling thread into a network namespace: the sockets that it makes from now on are there.</summary>
    /// <exception cref="IOException">It is not allowed; only root may.</exception>
    public static void EnterNetwork(string namespaceFile)
    {
        using var file = File.OpenHandle(namespaceFile);
        if (SetNamespace(file, NewNetwork) != 0)
        {
            throw new IOException($"setns failed with error {Marshal.GetLastPInvokeError()}; root is wanted.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle file, int kind);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int ClockNanosleep(int clock, int flags, in TimeSpec until, nint remaining);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
