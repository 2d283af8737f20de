namespace ReplicatedSqlite;

/// <summary>Days since noon in Greenwich on November 24, 4714 B.C., as SQLite's date functions count them, to the millisecond.</summary>
internal static class JulianDay
{
    private const double OfYearOne = 1721425.5; // 0001-01-01 00:00
    private const double MillisecondsPerDay = 86_400_000;

    public static DateTime ToDateTime(double days)
    {
        var milliseconds = Math.Round((days - OfYearOne) * MillisecondsPerDay);
        return milliseconds >= 0 && milliseconds <= (DateTime.MaxValue - DateTime.MinValue).TotalMilliseconds
            ? new DateTime((long)milliseconds * TimeSpan.TicksPerMillisecond)
            : throw new InvalidCastException($"{days} is no Julian day between the years 1 and 9999.");
    }

    public static double FromDateTime(DateTime time) => OfYearOne + (time.Ticks / TimeSpan.TicksPerMillisecond / MillisecondsPerDay);
}
