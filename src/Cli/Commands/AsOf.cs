using System.Globalization;

namespace ReplicatedSqlite.Cli;

/// <summary>A state of a database that is over: a bookmark, or what was there at a time.</summary>
internal sealed record AsOf(Bookmark? Bookmark, DateTimeOffset? At)
{
    /// <returns><see langword="null"/> if it is neither.</returns>
    public static AsOf? TryParse(string text) => ReplicatedSqlite.Bookmark.TryParse(text, out var bookmark) ? new AsOf(bookmark, null)
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? new AsOf(null, at)
        : null;

    public async Task<Bookmark> FindAsync(ReplicatedSqliteClient client, string database, CancellationToken cancellationToken) =>
        Bookmark ?? await client.Admin.GetBookmarkAsync(database, At, cancellationToken);
}
