using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <content>Another state in the place of this one.</content>
internal sealed partial class DatabaseWriter
{
    /// <summary>Makes the database what an image is, as one entry of the pages that differ. For the turn's holder, on a writers' thread.</summary>
    /// <returns>The end of that entry.</returns>
    /// <exception cref="InvalidDataException">The image does not fit, or too much differs: nothing was changed.</exception>
    public Position ReplaceBy(string imagePath)
    {
        var commitTime = NextCommitTime();
        using var replaced = ReplacedImage.Prepare(_file.Path, imagePath, EntryLimits.MaxPageDataBytes / _file.PageSizeBytes);
        lock (_commit)
        {
            replaced.Commit();
            _keys.Recount();
            return AppendCaptured(writes: 1, commitTime);
        }
    }

    /// <summary>Makes what a state from before the database's first own entry lacks. Like <see cref="ReplaceBy"/>.</summary>
    /// <returns>The log's end.</returns>
    public Position MakeOwnTables()
    {
        var commitTime = NextCommitTime();
        lock (_commit)
        {
            return PrimaryActivation.TryCreateOwnTables(_file) ? AppendCaptured(writes: 1, commitTime) : _log.Appended;
        }
    }
}
