namespace ReplicatedSqlite.Simulation;

/// <summary>A bookmark that names a confirmed write is never called abandoned, neither before nor after its confirmation.</summary>
internal sealed class OnlyLostBookmarksAreAbandoned : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        foreach (var abandoned in history.Abandoned)
        {
            foreach (var entry in timeline.Entries)
            {
                if (entry.End.Epoch == abandoned.Bookmark.Epoch && entry.FirstSequence <= abandoned.Bookmark.Sequence
                    && abandoned.Bookmark.Sequence <= entry.End.Sequence && entry.End.Hash.Tag == abandoned.Bookmark.EntryTag)
                {
                    return $"copy {abandoned.Copy} called {abandoned.Bookmark} abandoned at {abandoned.At}, which is confirmed as {entry.End}";
                }
            }
        }

        return null;
    }
}
