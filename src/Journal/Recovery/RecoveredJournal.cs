namespace ReplicatedSqlite.Journal;

/// <summary>What reading a journal back gave.</summary>
/// <param name="Files">The files that hold groups, oldest first; their ends are set.</param>
/// <param name="Index">The logs.</param>
/// <param name="LastGroup">The newest group, or <see langword="null"/>.</param>
/// <param name="Discarded">Files behind the end that hold nothing valid.</param>
internal sealed record RecoveredJournal(IReadOnlyList<JournalFile> Files, LogIndex Index, FoundGroup? LastGroup, IReadOnlyList<OpenedFile> Discarded)
{
    public JournalPlace End => new(Files[^1].Number, Files[^1].End);
}

/// <summary>A valid group and where it stands.</summary>
internal sealed record FoundGroup(JournalFile File, GroupHeader Header);
