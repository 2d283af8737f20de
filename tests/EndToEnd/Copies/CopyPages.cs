using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Compares copies page by page, while they are in use.</summary>
internal static class CopyPages
{
    public static void AreEqual(string expectedPath, string path, string when)
    {
        using var expected = SnapshotReader.Open(expectedPath);
        using var found = SnapshotReader.Open(path);
        Assert.True(expected.PageCount == found.PageCount, $"{when}: {path} has {found.PageCount} pages, {expectedPath} has {expected.PageCount}.");
        while (expected.MoveNext())
        {
            Assert.True(found.MoveNext());
            Assert.Equal(expected.PageNumber, found.PageNumber);
            Assert.True(expected.Image.SequenceEqual(found.Image), $"{when}: page {expected.PageNumber} of {expected.PageCount} differs in {path} at byte {expected.Image.CommonPrefixLength(found.Image)}.");
        }
    }
}
