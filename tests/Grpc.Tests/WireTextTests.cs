namespace ReplicatedSqlite.Grpc.Tests;

public sealed class WireTextTests
{
    [Theory]
    [InlineData("plain text, with ~", "plain text, with ~")]
    [InlineData("100%", "100%25")]
    [InlineData("ü\n", "%C3%BC%0A")]
    [InlineData("", "")]
    public void A_status_text_is_percent_encoded_and_back(string text, string encoded)
    {
        Assert.Equal(encoded, StatusText.Encode(text));
        Assert.Equal(text, StatusText.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%2", "%2")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%c3%bc", "ü")]
    [InlineData("%C3", "\uFFFD")]
    public void A_badly_encoded_status_text_is_still_readable(string encoded, string text) => Assert.Equal(text, StatusText.Decode(encoded));

    [Theory]
    [InlineData(1, "1u")]
    [InlineData(10_000, "1m")]
    [InlineData(10_001, "1001u")]
    [InlineData(10 * 99_999_999L, "99999999u")]
    [InlineData((10 * 99_999_999L) + 1, "100000m")]
    [InlineData(50_000_000, "5000m")]
    [InlineData(10_000L * 99_999_999, "99999999m")]
    [InlineData((10_000L * 99_999_999) + 1, "100000S")]
    [InlineData(long.MaxValue, "99999999H")]
    public void A_timeout_is_written_in_its_finest_unit_and_never_shorter(long ticks, string text)
    {
        Assert.Equal(text, GrpcTimeout.Format(TimeSpan.FromTicks(ticks)));
        Assert.True(GrpcTimeout.TryParse(text, out var parsed));
        if (ticks < long.MaxValue) Assert.True(parsed.Ticks >= ticks);
    }

    [Theory]
    [InlineData("1n", 1)]
    [InlineData("99999999H", 99_999_999 * TimeSpan.TicksPerHour)]
    [InlineData("2M", 2 * TimeSpan.TicksPerMinute)]
    [InlineData("3S", 3 * TimeSpan.TicksPerSecond)]
    [InlineData("0m", 0)]
    public void Timeouts_of_any_unit_are_read(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("AQID", new byte[] { 1, 2, 3 })]
    [InlineData("AQ", new byte[] { 1 })]
    [InlineData("AQ==", new byte[] { 1 })]
    [InlineData("", new byte[0])]
    public void Binary_metadata_is_read_with_and_without_padding(string text, byte[] bytes)
    {
        Assert.True(MetadataBase64.TryDecode(text, out var decoded));
        Assert.Equal(bytes, decoded);
    }

    [Theory]
    [InlineData("A")]
    [InlineData("A*==")]
    public void What_is_not_base64_is_refused(string text) => Assert.False(MetadataBase64.TryDecode(text, out _));

    [Fact]
    public void Joined_binary_values_are_separate_entries()
    {
        var metadata = new Metadata();
        metadata.AddFromWire("X-Bin", "AQ, Ag==,");
        Assert.Equal([[1], [2], []], metadata.Select(entry => entry.Bytes.ToArray()));
        Assert.All(metadata, entry => Assert.Equal("x-bin", entry.Name));
    }

    [Theory]
    [InlineData("a b", "x")]
    [InlineData("grpc-status", "0")]
    [InlineData(":path", "/")]
    [InlineData("x-bin", "text")]
    [InlineData("x", "line\nfeed")]
    [InlineData("x", "ü")]
    public void Metadata_that_could_not_travel_is_refused(string name, string value) => Assert.Throws<ArgumentException>(() => new Metadata().Add(name, value));
}
