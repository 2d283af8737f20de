using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Cluster;

/// <summary>A clock whose timestamps go on while the machine is suspended, so that a lease that was given before ends in the meantime. Its timers are the system's.</summary>
/// <remarks>Linux's CLOCK_BOOTTIME; .NET's own timestamps are CLOCK_MONOTONIC's, which stands still in suspend. Where there is no such clock it is the system's.</remarks>
public sealed class BootTimeProvider : TimeProvider
{
    private const int BootTime = 7; // CLOCK_BOOTTIME
    private const long NanosecondsPerSecond = 1_000_000_000;

    private BootTimeProvider()
    {
    }

    /// <summary>The clock; on systems without one, <see cref="TimeProvider.System"/>.</summary>
    public static TimeProvider Instance { get; } = Find();

    /// <inheritdoc/>
    public override long TimestampFrequency => NanosecondsPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() =>
        GetTime(BootTime, out var time) == 0 ? (time.Seconds * NanosecondsPerSecond) + time.Nanoseconds : throw new InvalidOperationException("CLOCK_BOOTTIME cannot be read any more.");

    private static TimeProvider Find() =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && GetTime(BootTime, out _) == 0 ? new BootTimeProvider() : System;

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
