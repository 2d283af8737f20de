namespace ReplicatedSqlite.Protocol.Tests;

public class PositionTests
{
    [Fact]
    public void Order_is_epoch_then_sequence_and_the_hash_only_tells_places_apart()
    {
        var position = new Position(2, 6, new ChainHash(1, 1));
        Assert.True(position > new Position(1, 9, default));
        Assert.True(position < new Position(2, 7, default));
        var other = position with { Hash = new ChainHash(2, 2) };
        Assert.Equal(0, position.CompareTo(other));
        Assert.True(position >= other && position <= other);
        Assert.NotEqual(position, other);
    }

    [Fact]
    public void A_chain_hash_is_sixteen_bytes_in_text_order()
    {
        var hash = new ChainHash(0x0011223344556677, 0x8899aabbccddeeff);
        var bytes = new byte[ChainHash.SizeBytes];
        hash.Write(bytes);
        Assert.Equal("00112233445566778899aabbccddeeff", Convert.ToHexStringLower(bytes));
        Assert.Equal(hash.ToString(), Convert.ToHexStringLower(bytes));
        Assert.Equal(hash, ChainHash.Read(bytes));
        Assert.Equal(0x00112233u, hash.Tag);
    }

    [Fact]
    public void A_database_id_is_its_uuid_big_endian_and_its_tag_a_checksum_of_it()
    {
        var id = new DatabaseId(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"));
        var bytes = new byte[DatabaseId.SizeBytes];
        id.Write(bytes);
        Assert.Equal("00112233445566778899aabbccddeeff", Convert.ToHexStringLower(bytes));
        Assert.Equal(id, DatabaseId.Read(bytes));
        Assert.Equal(~Crc32C.Of(bytes), id.Tag); // the state before the last inversion; bookmarks in the world carry it, so it stays
        Assert.NotEqual(id.Tag, new DatabaseId(Guid.Parse("00112233-4455-6677-8899-aabbccddeefe")).Tag);
    }
}
