namespace ReplicatedSqlite.Journal;

/// <summary>Opens a journal's folder: makes a new one, or reads it back, repairs its tail and syncs what is there.</summary>
internal sealed class JournalOpener(string folder, IJournalDisk disk, NewIds ids, JournalOptions options)
{
    private const int ZeroChunkBytes = 1 << 20;

    public Guid JournalId { get; private set; }

    public bool IsNew { get; private set; }

    /// <summary>Files and index, everything synced, ready for the next group.</summary>
    public RecoveredJournal Open()
    {
        List<int> numbers = [];
        foreach (var name in disk.List(folder))
        {
            if (FileHeader.TryParseName(name, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        List<OpenedFile> opened = [];
        try
        {
            foreach (var number in numbers)
            {
                opened.Add(OpenedFile.Open(disk, folder, number));
            }

            return TryReadId() ? Reopen(opened) : MakeNew(opened);
        }
        catch
        {
            opened.ForEach(file => file.Content.Dispose());
            throw;
        }
    }

    private bool TryReadId()
    {
        if (!disk.List(folder).Contains(JournalIdRecord.FileName))
        {
            return false;
        }

        using var file = disk.Open(Path.Combine(folder, JournalIdRecord.FileName));
        var bytes = new byte[Math.Min(file.SizeBytes, JournalIdRecord.SizeBytes + 1)];
        file.Read(0, bytes);
        if (!JournalIdRecord.TryRead(bytes, out var id))
        {
            return false;
        }

        JournalId = id;
        return true;
    }

    // The id is written last: without it nothing was ever acknowledged here, unless somebody took it away.
    private RecoveredJournal MakeNew(List<OpenedFile> opened)
    {
        foreach (var file in opened)
        {
            if (ClaimSearch.Find(file, 0).GroupNumber > 0)
            {
                throw new JournalDamagedException(JournalIdRecord.FileName, 0, "no whole journal id was found", $"{file.Name} holds groups, so there must be one");
            }
        }

        Discard(opened);
        if (disk.List(folder).Contains(JournalIdRecord.FileName))
        {
            disk.Delete(Path.Combine(folder, JournalIdRecord.FileName));
        }

        disk.SyncFolder(folder);
        IsNew = true;
        JournalId = ids.Next();
        var first = new JournalFiles(folder, disk, ids, JournalId, options).Create(1, options.FileSizeBytes);
        using (var id = disk.Create(Path.Combine(folder, JournalIdRecord.FileName), JournalIdRecord.SizeBytes))
        {
            id.Write(0, [JournalIdRecord.Encode(JournalId)]);
            id.SyncData();
        }

        disk.SyncFolder(folder);
        return new([first], new LogIndex(), null, []);
    }

    private RecoveredJournal Reopen(List<OpenedFile> opened)
    {
        var journal = JournalScan.Run(JournalId, opened);
        if (journal.Files.Count == 0)
        {
            throw new JournalDamagedException(
                FileHeader.NameOf(1), 0, opened.Count == 0 ? "no journal file was found" : opened[0].HeaderFault ?? "nothing was found", $"journal {JournalId} has at least one");
        }

        Discard(journal.Discarded);
        ClearTail(journal.Files[^1]);
        Rewrite(journal.LastGroup);
        foreach (var file in journal.Files)
        {
            file.Content.SyncData();
        }

        SyncId();
        disk.SyncFolder(folder);
        return journal;
    }

    // The process that made the journal may have been killed, or failed, before its id was synced.
    private void SyncId()
    {
        using var id = disk.Open(Path.Combine(folder, JournalIdRecord.FileName));
        id.Write(0, [JournalIdRecord.Encode(JournalId)]);
        id.SyncData();
    }

    private void Discard(IReadOnlyList<OpenedFile> files)
    {
        foreach (var file in files)
        {
            file.Content.Dispose();
            disk.Delete(Path.Combine(folder, file.Name));
        }
    }

    private static void ClearTail(JournalFile file)
    {
        var buffer = new byte[Math.Min(ZeroChunkBytes, file.Room)];
        var zeros = new byte[buffer.Length];
        for (long offset = file.End; offset < file.SizeBytes; offset += buffer.Length)
        {
            var length = (int)Math.Min(buffer.Length, file.SizeBytes - offset);
            file.Content.Read(offset, buffer.AsSpan(0, length));
            if (buffer.AsSpan(0, length).ContainsAnyExcept((byte)0))
            {
                file.Content.Write(offset, [zeros.AsMemory(0, length)]);
            }
        }
    }

    // After a failed sync the kernel may hold pages that look clean and are not on the disk; only writing them again makes the next sync write them.
    private static void Rewrite(FoundGroup? group)
    {
        if (group is not null)
        {
            var bytes = new byte[group.Header.TotalBytes];
            group.File.Content.Read(group.Header.Offset, bytes);
            group.File.Content.Write(group.Header.Offset, [bytes]);
        }
    }
}
