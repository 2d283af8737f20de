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

    /// <summary>Fails unless the second is the first, byte for byte.</summary>
    public static void AssertEqual(byte[][] expected, byte[][] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!expected[i].AsSpan().SequenceEqual(found[i]))
            {
                Assert.Fail($"Page {i + 1} of {expected.Length} differs from byte {expected[i].AsSpan().CommonPrefixLength(found[i])}.");
            }
        }
    }
}
