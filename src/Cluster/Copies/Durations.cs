using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Durations as clients send them.</summary>
public static class Durations
{
    /// <summary>Reads one.</summary>
    /// <exception cref="RequestException">It is none: seconds and nanoseconds of different signs, or out of range.</exception>
    public static TimeSpan Read(Duration duration, string name)
    {
        try
        {
            return duration.ToTimeSpan();
        }
        catch (InvalidOperationException)
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest, $"{name} is {duration.Seconds} s and {duration.Nanos} ns, which is no duration: both of one sign and below 10,000 years are wanted.");
        }
    }
}
