using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite;

/// <summary>One database. Calls made here, outside a session, run at the primary. Thread-safe.</summary>
public sealed class ReplicatedDatabase : SqlExecutor
{
    internal ReplicatedDatabase(Transport transport, string databaseName, CallDefaults? defaults = null)
        : base(transport, databaseName, defaults)
    {
    }

    /// <summary>Starts a session: at a bookmark, at <see cref="Session.FirstPrimary"/> or at <see cref="Session.FirstUnconstrained"/>. Nothing is sent yet.</summary>
    /// <exception cref="MalformedBookmarkException">The text is none of these.</exception>
    public Session WithSession(string start = Session.FirstUnconstrained) => new(Transport, DatabaseName, new SessionState(start), Defaults);

    /// <summary>Goes on from a bookmark.</summary>
    public Session WithSession(Bookmark bookmark) => WithSession(bookmark.ToString());

    internal override string SessionToSend() => "";

    private protected override void Observe(Bookmark bookmark)
    {
        // The primary needs no bookmark to be up to date.
    }
}
