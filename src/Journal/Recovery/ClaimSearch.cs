namespace ReplicatedSqlite.Journal;

/// <summary>Looks for valid group headers behind an end, at any offset: each names a synced end, and so tells damage from a torn tail.</summary>
internal static class ClaimSearch
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>What the group headers from <paramref name="from"/> on say at most.</summary>
    public static Claim Find(OpenedFile file, int from)
    {
        var greatest = default(Claim);
        var buffer = new byte[(int)Math.Min(ChunkBytes, Math.Max(0, file.Content.SizeBytes - from))];
        long offset = from;
        while (file.Content.SizeBytes - offset >= GroupHeader.SizeBytes)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Content.SizeBytes - offset));
            file.Content.Read(offset, chunk);
            for (int at = 0, next; (next = chunk[at..].IndexOf(GroupHeader.Magic)) >= 0; at += next + 1)
            {
                if (file.TryReadGroup((int)offset + at + next, out var header) is null)
                {
                    greatest = greatest.With(header);
                }
            }

            // A header may straddle two chunks, so the next one begins inside this one.
            offset += chunk.Length < GroupHeader.SizeBytes * 2 ? chunk.Length : chunk.Length - GroupHeader.SizeBytes;
        }

        return greatest;
    }
}

/// <summary>The greatest synced end that headers name, and the greatest group number among them; zero where there are none.</summary>
internal readonly record struct Claim(JournalPlace SyncedEnd, ulong GroupNumber)
{
    public Claim With(in GroupHeader header) =>
        new(header.SyncedEnd.CompareTo(SyncedEnd) > 0 ? header.SyncedEnd : SyncedEnd, Math.Max(GroupNumber, header.Number));
}
