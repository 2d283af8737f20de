using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The body of a note: the database's id, then the follower's own bytes.</summary>
internal static class NoteRecord
{
    public const int MaxBytes = 64 << 10;

    public static byte[] Encode(DatabaseId database, ReadOnlySpan<byte> note)
    {
        var bytes = new byte[DatabaseId.SizeBytes + note.Length];
        database.Write(bytes);
        note.CopyTo(bytes.AsSpan(DatabaseId.SizeBytes));
        return bytes;
    }

    public static string? TryRead(ReadOnlySpan<byte> body, out DatabaseId database, out ReadOnlySpan<byte> note)
    {
        database = default;
        note = default;
        if (body.Length < DatabaseId.SizeBytes)
        {
            return $"a note of {body.Length} bytes was found; at least {DatabaseId.SizeBytes} were wanted";
        }

        database = DatabaseId.Read(body);
        note = body[DatabaseId.SizeBytes..];
        return null;
    }
}
