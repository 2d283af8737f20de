using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What a session asks for at its first call, and the greatest bookmark since. Thread-safe.</summary>
internal sealed class SessionState
{
    private readonly string _constraint;
    private readonly Lock _lock = new();
    private Bookmark? _bookmark;
    private string? _text; // of the bookmark, once it was sent: reads see the same state many times

    /// <summary>A session that starts as the text says: a bookmark, or one of the two constraints.</summary>
    public SessionState(string start)
    {
        ArgumentException.ThrowIfNullOrEmpty(start);
        _constraint = start;
        if (start is Session.FirstPrimary or Session.FirstUnconstrained) return;
        if (!ReplicatedSqlite.Bookmark.TryParse(start, out var bookmark)) throw Malformed(start);
        _bookmark = bookmark;
    }

    public Bookmark? Bookmark
    {
        get
        {
            lock (_lock) return _bookmark;
        }
    }

    /// <summary>What a call that starts now has to send.</summary>
    public string ToSend()
    {
        lock (_lock) return _bookmark is { } held ? _text ??= held.ToString() : _constraint;
    }

    /// <summary>Takes up what an answer says. Answers overtake each other, so the greatest counts, not the last.</summary>
    public void Observe(Bookmark seen)
    {
        lock (_lock)
        {
            if (_bookmark is { } held && seen <= held) return;
            _bookmark = seen;
            _text = null;
        }
    }

    private static ReplicatedSqliteException Malformed(string text) => new Failure(
        ErrorCodes.BookmarkMalformed,
        $"'{(text.Length <= 64 ? text : text[..64] + "…")}' starts no session: a bookmark (8, 16 and 16 lowercase hexadecimal digits joined by '-'), "
        + $"\"{Session.FirstPrimary}\" or \"{Session.FirstUnconstrained}\" is wanted.").ToException();
}
