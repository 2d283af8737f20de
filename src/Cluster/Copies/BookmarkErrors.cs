using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The refusals of bookmarks that every copy words alike.</summary>
public static class BookmarkErrors
{
    /// <summary>It lies on a stretch of the log that a later leadership left behind.</summary>
    public static RequestException Abandoned(Bookmark bookmark, string? current) => With(
        ErrorCodes.BookmarkAbandoned,
        $"The bookmark {bookmark} lies on a part of the log that was abandoned: its write is not in this database. Begin a new session with \"first-primary\".",
        current);

    /// <summary>It is no bookmark.</summary>
    public static RequestException Malformed(string text) => new(
        ErrorCodes.BookmarkMalformed, $"'{(text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "…"))}' is no bookmark: 42 characters, 8, 16 and 16 lowercase hexadecimal digits joined by '-', were wanted.");

    /// <summary>It names a write of another database.</summary>
    public static RequestException Foreign(Bookmark bookmark) =>
        new(ErrorCodes.BookmarkForeign, $"The bookmark {bookmark} belongs to another database. Nothing was done.");

    /// <summary>It is above everything that this database ever confirmed.</summary>
    public static RequestException Future(Bookmark bookmark, string? current) => With(
        ErrorCodes.BookmarkFuture,
        $"The bookmark {bookmark} is above everything that this database knows ({current ?? "nothing yet"}). " +
        "It was made up, or the database lost what it had: begin a new session with \"first-primary\".",
        current);

    private static RequestException With(string code, string message, string? current)
    {
        var failure = new RequestException(code, message);
        failure.Error.Bookmark = current ?? "";
        return failure;
    }
}
