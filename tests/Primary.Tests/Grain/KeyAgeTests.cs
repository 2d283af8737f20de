using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary.Tests;

public sealed class KeyAgeTests
{
    [Theory]
    [InlineData(long.MaxValue, int.MaxValue)] // no Duration that a library would make, but bytes can hold it
    [InlineData(8589349679658267777, 1918497983)]
    [InlineData(315_576_000_000, 0)]
    [InlineData(0, int.MaxValue)]
    public void A_time_beyond_all_bounds_is_a_long_one_and_no_failure(long seconds, int nanos)
    {
        var request = new GetOutcomeRequest { IdempotencyKey = "k", SentWithin = new Duration { Seconds = seconds, Nanos = nanos } };
        Assert.True(KeyAge.Of(request, DateTimeOffset.UnixEpoch) >= TimeSpan.FromSeconds(Math.Min(seconds, 315_576_000_000)));
    }
}
