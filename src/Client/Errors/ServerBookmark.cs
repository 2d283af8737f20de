using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Reads bookmarks that came from a server.</summary>
internal static class ServerBookmark
{
    /// <summary>A bookmark that has to be there.</summary>
    public static Bookmark Parse(string text, bool mayHaveWritten) => Bookmark.TryParse(text, out var bookmark)
        ? bookmark
        : throw DamagedAnswer.Create($"the bookmark '{text}' is none", mayHaveWritten);

    /// <summary>A bookmark that may be left out: null then, and for a text that is none, since errors must not hide behind it.</summary>
    public static Bookmark? TryParse(string text) => Bookmark.TryParse(text, out var bookmark) ? bookmark : null;
}

/// <summary>An answer that breaks the contract: a bug of the server, or something between that changes messages.</summary>
internal static class DamagedAnswer
{
    public static ReplicatedSqliteException Create(string what, bool mayHaveWritten) => new(new Failure(
        ErrorCodes.Internal, $"The server's answer cannot be used: {what}. Check that client and server are of matching versions.")
    {
        CommitState = mayHaveWritten ? CommitState.Unknown : CommitState.NotCommitted,
    });
}
