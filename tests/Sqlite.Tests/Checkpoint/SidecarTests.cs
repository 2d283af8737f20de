using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class SidecarTests
{
    private static readonly Sidecar _sidecar = new(
        new DatabaseId(new Guid("01234567-89ab-cdef-0123-456789abcdef")),
        new Position(3, 0x1122334455667788, new ChainHash(0xa0a1a2a3a4a5a6a7, 0xb0b1b2b3b4b5b6b7)),
        new Position(4, 0x1122334455667799, new ChainHash(0xc0c1c2c3c4c5c6c7, 0xd0d1d2d3d4d5d6d7)));

    [Fact]
    public void What_is_written_is_read_back_and_replaces_what_was_there()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.db-sidecar");
        Assert.Null(Sidecar.Read(path));
        (_sidecar with { From = Position.Start }).Write(path);
        _sidecar.Write(path);
        Assert.Equal(_sidecar, Sidecar.Read(path));
        Assert.Equal([path], Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a");
        _sidecar.Write(path);
        Assert.Equal(
            "01000000" + "5253514c534944454341520000000000"[..24] +
            "0123456789abcdef0123456789abcdef" +
            "03000000" + "8877665544332211" + "a0a1a2a3a4a5a6a7b0b1b2b3b4b5b6b7" +
            "04000000" + "9977665544332211" + "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7" +
            "00000000",
            Convert.ToHexStringLower(File.ReadAllBytes(path)[..^4]));
        Assert.Equal(0xe3069283, Protocol.Crc32C.Of("123456789"u8)); // the polynomial's published check value
    }

    [Fact]
    public void Every_damaged_byte_and_every_other_length_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a");
        _sidecar.Write(path);
        var good = File.ReadAllBytes(path);
        for (var i = 0; i < good.Length; i++)
        {
            var bad = good.ToArray();
            bad[i] ^= 1;
            AssertRefused(path, bad);
        }

        AssertRefused(path, []);
        AssertRefused(path, good[..^1]);
        AssertRefused(path, [.. good, 0]);
    }

    private static void AssertRefused(string path, byte[] bytes)
    {
        File.WriteAllBytes(path, bytes);
        var message = Assert.Throws<InvalidDataException>(() => Sidecar.Read(path)).Message;
        Assert.Contains($"'{path}' is damaged at byte ", message, StringComparison.Ordinal);
        Assert.Contains("expected", message, StringComparison.Ordinal);
    }
}
