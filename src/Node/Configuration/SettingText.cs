namespace ReplicatedSqlite.Node;

/// <summary>A setting as somebody wrote it.</summary>
/// <param name="Key">Which, in the file's spelling.</param>
/// <param name="Text">The value; lists are joined by commas.</param>
/// <param name="Source">Where it stands: the file, a variable, an option.</param>
internal readonly record struct SettingText(string Key, string Text, string Source);
