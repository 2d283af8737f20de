using System.Text;

namespace ReplicatedSqlite.Protocol.Tests;

public class Crc32CTests
{
    // Source of the 32-byte vectors: RFC 3720, appendix B.4.
    [Fact]
    public void The_published_checksums_come_out()
    {
        Assert.Equal(0u, Crc32C.Of([]));
        Assert.Equal(0xe3069283u, Crc32C.Of(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8a9136aau, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62a8ab43u, Crc32C.Of([.. Enumerable.Repeat((byte)0xff, 32)]));
        Assert.Equal(0x46dd794eu, Crc32C.Of([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0x113fdb5cu, Crc32C.Of([.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))]));
    }

    [Fact]
    public void A_checksum_may_be_taken_in_pieces()
    {
        var bytes = new byte[100];
        new Random(3).NextBytes(bytes);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Crc32C.Of(bytes), ~Crc32C.Append(Crc32C.Append(uint.MaxValue, bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }
}
