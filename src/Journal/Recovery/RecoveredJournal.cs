namespace ReplicatedSqlite.Journal;

/// <summary>What reading a journal back gave.</summary>
/// <param name="Files">The files that hold groups, oldest first; their ends are set.</param>
/// <param name="Index">The logs.</param>
/// <param name="LastGroup">The newest group, or <see langword="null"/>.</param>
/// <param name="Discarded">Files behind the end that hold nothing valid.</param>
internal sealed record RecoveredJournal(IReadOnlyList<JournalFile> Files, LogIndex Index, FoundGroup? LastGroup, IReadOnlyList<OpenedFile> Discarded)
{
    /// <summary>Where the newest group ends; a last file whose first group was torn holds none and must not hide where the one before it ends.</summary>
    public JournalPlace End
    {
        get
        {
            var file = Files.LastOrDefault(file => file.End > FileHeader.SizeBytes) ?? Files[^1];
            return new(file.Number, file.End);
        }
    }
}

/// <summary>A valid group and where it stands.</summary>
internal sealed record FoundGroup(JournalFile File, GroupHeader Header);
