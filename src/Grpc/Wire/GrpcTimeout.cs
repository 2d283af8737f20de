using System.Globalization;

namespace ReplicatedSqlite.Grpc;

/// <summary>The value of <c>grpc-timeout</c>: up to eight digits and a unit.</summary>
public static class GrpcTimeout
{
    private const long MaxValue = 99_999_999;

    /// <summary>The finest form that fits, rounded up: a deadline is never sent shorter than it was asked for.</summary>
    public static string Format(TimeSpan timeout)
    {
        var microseconds = Math.Max(1, DivideUp(timeout.Ticks, TimeSpan.TicksPerMicrosecond));
        if (microseconds % 1000 != 0 && microseconds <= MaxValue) return Text(microseconds, 'u');
        var milliseconds = DivideUp(microseconds, 1000);
        if (milliseconds <= MaxValue) return Text(milliseconds, 'm');
        var seconds = DivideUp(milliseconds, 1000);
        return seconds <= MaxValue ? Text(seconds, 'S') : Text(Math.Min(MaxValue, DivideUp(seconds, 3600)), 'H');
    }

    /// <summary>Reads a value as any client may send it; false if it is malformed.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > 9
            || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        var ticksPerUnit = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 0,
            _ => -1,
        };
        if (ticksPerUnit < 0) return false;
        timeout = ticksPerUnit == 0
            ? new TimeSpan(DivideUp(value, TimeSpan.NanosecondsPerTick))
            : new TimeSpan(value * ticksPerUnit); // eight digits of hours fit
        return true;
    }

    private static long DivideUp(long value, long by) => (value / by) + (value % by == 0 ? 0 : 1);

    private static string Text(long value, char unit) => string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
}
