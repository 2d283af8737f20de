namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class PageSetTests
{
    [Fact]
    public void The_last_image_of_a_page_wins_and_pages_come_in_order()
    {
        var pages = new PageSet();
        pages.Begin(512, 10);
        pages.Add(7, Image(1));
        pages.Add(3, Image(2));
        pages.Add(7, Image(3));
        Assert.Equal(2, pages.Count);
        Assert.Equal((3u, 2), (pages.PageNumber(0), pages.Page(0)[0]));
        Assert.Equal((7u, 3), (pages.PageNumber(1), pages.Page(1)[0]));
    }

    [Fact]
    public void Pages_beyond_the_end_and_the_lock_page_are_left_out()
    {
        var pages = new PageSet();
        var lockPage = WalLayout.LockPage(512);
        pages.Begin(512, lockPage + 1);
        pages.Add(lockPage, Image(1));
        pages.Add(lockPage + 1, Image(2));
        pages.Add(lockPage + 2, Image(3));
        Assert.Equal(1, pages.Count);
        Assert.Equal(lockPage + 1, pages.PageNumber(0));
    }

    [Fact]
    public void The_set_serves_one_big_transaction_after_another()
    {
        var pages = new PageSet();
        for (var round = 0; round < 3; round++)
        {
            pages.Begin(4096, 5000);
            for (var page = 1u; page <= 5000; page++)
            {
                pages.Add(page, new byte[4096]);
            }

            Assert.Equal(5000, pages.Count);
            pages.Clear();
            Assert.Equal(0, pages.Count);
        }
    }

    [Fact]
    public void An_image_of_another_size_is_refused()
    {
        var pages = new PageSet();
        pages.Begin(4096, 1);
        Assert.Throws<ArgumentException>(() => pages.Add(1, Image(1)));
    }

    private static byte[] Image(byte value)
    {
        var image = new byte[512];
        image.AsSpan().Fill(value);
        return image;
    }
}
