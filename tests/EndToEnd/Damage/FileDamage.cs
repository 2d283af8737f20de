namespace ReplicatedSqlite.EndToEnd;

/// <summary>Does harm to files of a stopped cluster.</summary>
internal static class FileDamage
{
    public static void FlipBit(string path, long offset, int bit = 3)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        var found = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(found ^ (1 << bit)));
    }

    public static void Overwrite(string path, long offset, ReadOnlySpan<byte> bytes)
    {
        using var file = File.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        file.Position = offset;
        file.Write(bytes);
    }

    public static void Truncate(string path, long length)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.SetLength(length);
    }

    /// <summary>Where the zeros begin that a preallocated file ends with.</summary>
    public static long UsedLength(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
    }

    public static byte[] Garbage(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
