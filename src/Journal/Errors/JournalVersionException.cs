namespace ReplicatedSqlite.Journal;

/// <summary>A file of another version of the format.</summary>
public sealed class JournalVersionException(string file, int found, int wanted) : JournalException(
    $"{file} has format version {found}; this build reads version {wanted}. Open it with the version that wrote it.");
