namespace ReplicatedSqlite.Protocol.Tests;

public class BookmarkTests
{
    private const string Valid = "0000002a-00000000000001ff-89abcdef01234567";

    [Fact]
    public void Text_and_value_say_the_same()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var bookmark = Next(random);
            Assert.Equal(bookmark, Bookmark.Parse(bookmark.ToString()));
            Assert.Equal(Bookmark.TextLength, bookmark.ToString().Length);
        }

        Assert.Equal(new Bookmark(0x2a, 0x1ff, 0x89abcdef01234567), Bookmark.Parse(Valid));
        Assert.Equal("00000000-0000000000000000-0000000000000000", Bookmark.Start.ToString());
        Assert.Equal("ffffffff-ffffffffffffffff-ffffffffffffffff", new Bookmark(uint.MaxValue, ulong.MaxValue, ulong.MaxValue).ToString());
    }

    [Fact]
    public void Ordinal_order_of_the_text_is_commit_order()
    {
        var random = new Random(2);
        for (var i = 0; i < 10_000; i++)
        {
            var (left, right) = (Next(random), Next(random));
            if (random.Next(2) == 0)
            {
                right = right with { Epoch = left.Epoch };
            }

            if (left.CompareTo(right) != 0)
            {
                Assert.Equal(Math.Sign(left.CompareTo(right)), Math.Sign(string.CompareOrdinal(left.ToString(), right.ToString())));
            }

            Assert.Equal(left.CompareTo(right) > 0, left > right);
            Assert.Equal(left.CompareTo(right) <= 0, left <= right);
            Assert.Equal(left >= right ? left : right, Bookmark.Max(left, right));
        }
    }

    [Fact]
    public void Every_other_length_is_refused()
    {
        for (var length = 0; length < 100; length++)
        {
            if (length != Bookmark.TextLength)
            {
                Assert.False(Bookmark.TryParse((Valid + Valid + Valid).AsSpan(0, length), out _));
            }
        }
    }

    [Fact]
    public void Every_character_is_checked()
    {
        for (var at = 0; at < Valid.Length; at++)
        {
            foreach (var wrong in "ABCDEFgGzZ +-_/:`@\0\n\u0660\uff11")
            {
                if (Valid[at] != wrong)
                {
                    var text = string.Concat(Valid.AsSpan(0, at), wrong.ToString(), Valid.AsSpan(at + 1));
                    Assert.False(Bookmark.TryParse(text, out var bookmark), text);
                    Assert.Equal(default, bookmark);
                }
            }
        }

        Assert.False(Bookmark.TryParse("0000002a00000000000001ff-89abcdef01234567-", out _));
        Assert.False(Bookmark.TryParse("0000002a-00000000000001ff89abcdef-01234567", out _));
    }

    [Fact]
    public void A_refusal_names_what_came_and_what_is_wanted()
    {
        var refused = Assert.Throws<FormatException>(() => Bookmark.Parse(new string('x', 1000)));
        Assert.Contains("42 characters", refused.Message);
        Assert.True(refused.Message.Length < 300);
    }

    [Fact]
    public void Parsing_allocates_nothing()
    {
        var isRead = Bookmark.TryParse(Valid, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            isRead &= Bookmark.TryParse(Valid, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(isRead);
    }

    [Fact]
    public void A_positions_bookmark_carries_the_tags_of_database_and_entry()
    {
        var database = new DatabaseId(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"));
        var position = new Position(3, 9, new ChainHash(0x0123456789abcdef, 5));
        var bookmark = position.ToBookmark(database, 7);
        Assert.Equal(new Bookmark(3, 7, ((ulong)database.Tag << 32) | 0x01234567), bookmark);
        Assert.Equal((database.Tag, 0x01234567u), (bookmark.DatabaseTag, bookmark.EntryTag));
        Assert.Equal(Bookmark.Start, Position.Start.ToBookmark(database));
    }

    private static Bookmark Next(Random random) =>
        new((uint)random.NextInt64(random.Next(2) == 0 ? 4 : uint.MaxValue), (ulong)random.NextInt64(random.Next(2) == 0 ? 1000 : long.MaxValue), (ulong)random.NextInt64());
}
