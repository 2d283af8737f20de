namespace ReplicatedSqlite.ColdStorage;

internal static class ObjectName
{
    private const int MaxLength = 512;

    /// <summary>Names become paths and keys: anything but plain parts is a mistake of ours, or somebody's attempt to leave the folder.</summary>
    /// <exception cref="ArgumentException">It is no name.</exception>
    public static void Check(string name)
    {
        if (name.Length is 0 or > MaxLength || name.Split('/').Any(static part => part.Length == 0 || part[0] == '.' || !part.All(IsPlain)))
        {
            throw new ArgumentException($"'{name}' is no object name: up to {MaxLength} lowercase letters, digits, '-' and '.', in parts joined by '/', were wanted.", nameof(name));
        }
    }

    public static void CheckPrefix(string prefix)
    {
        if (!prefix.EndsWith('/'))
        {
            throw new ArgumentException($"'{prefix}' is no prefix of object names: it must end with '/'.", nameof(prefix));
        }

        Check(prefix[..^1]);
    }

    private static bool IsPlain(char character) => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '.';
}
