namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>All pages of a database, as SQLite itself sees them.</summary>
internal static class PageImages
{
    public static byte[][] Read(SqliteConnection connection)
    {
        var pages = new List<byte[]>();
        using var statement = connection.Prepare("SELECT data FROM sqlite_dbpage ORDER BY pgno");
        while (statement.Step())
        {
            pages.Add(statement.GetBlob(0).ToArray());
        }

        return [.. pages];
    }

    public static byte[][] Read(string path)
    {
        using var connection = SqliteConnection.Open(path);
        return Read(connection);
    }

    /// <param name="expected">The primary's pages.</param>
    /// <param name="found">The replica's.</param>
    /// <param name="exceptCounters">Leaves out the change counter and its companions on page 1, which SQLite's own commit sets anew.</param>
    public static void AssertEqual(byte[][] expected, byte[][] found, bool exceptCounters = false)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var (a, b) = (expected[i], found[i]);
            if (i == 0 && exceptCounters)
            {
                (a, b) = (WithoutCounters(a), WithoutCounters(b));
            }

            if (!a.AsSpan().SequenceEqual(b))
            {
                Assert.Fail($"Page {i + 1} of {expected.Length} differs from byte {a.AsSpan().CommonPrefixLength(b)}.");
            }
        }
    }

    private static byte[] WithoutCounters(byte[] page)
    {
        var copy = page.ToArray();
        copy.AsSpan(24, 4).Clear();
        copy.AsSpan(92, 8).Clear();
        return copy;
    }
}
