namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>All pages of a database, as SQLite itself sees them.</summary>
/// <remarks>
/// Never through the connection that writes: SQLite does not write what a transaction did to a page that it leaves free (used and undone by
/// <c>ROLLBACK TO</c>, say), and the writer's cache goes on holding those bytes, which are in no file and mean nothing.
/// </remarks>
internal static class PageImages
{
    /// <summary>What a reading connection sees.</summary>
    public static byte[][] Read(SqliteConnection reader)
    {
        var pages = new List<byte[]>();
        using var statement = reader.Prepare("SELECT data FROM sqlite_dbpage ORDER BY pgno");
        while (statement.Step())
        {
            pages.Add(statement.GetBlob(0).ToArray());
        }

        return [.. pages];
    }

    /// <summary>What a new connection sees.</summary>
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
