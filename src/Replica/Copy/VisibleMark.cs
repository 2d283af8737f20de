using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>A position that readers may see, with its bookmark's text made once for all who answer with it. Immutable, so that it is swapped in one write.</summary>
internal sealed class VisibleMark(DatabaseId database, Position position)
{
    private string? _text; // written by whoever comes first; all write the same

    public Position Position { get; } = position;

    public Bookmark Bookmark { get; } = position.ToBookmark(database);

    public string Text => _text ??= Bookmark.ToString();
}
