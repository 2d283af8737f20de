using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Reads a journal back and tells a torn tail from damage (docs/formats.md, "Reading a journal back"). Changes nothing.</summary>
internal sealed class JournalScan
{
    private readonly Guid _journalId;
    private readonly IReadOnlyList<OpenedFile> _opened;
    private readonly List<JournalFile> _files = [];
    private readonly LogIndex _index = new();
    private readonly Replay _replay;
    private FoundGroup? _lastGroup;
    private byte[] _body = [];

    private JournalScan(Guid journalId, IReadOnlyList<OpenedFile> opened)
    {
        _journalId = journalId;
        _opened = opened;
        _replay = new(_index);
    }

    /// <summary>Scans the files, oldest first.</summary>
    /// <exception cref="JournalDamagedException">Something that was synced is not there.</exception>
    public static RecoveredJournal Run(Guid journalId, IReadOnlyList<OpenedFile> opened) => new JournalScan(journalId, opened).Run();

    private RecoveredJournal Run()
    {
        var at = 0;
        for (; at < _opened.Count && Begins(at); at++)
        {
            var file = ScanFile(_opened[at], out var fault);
            CheckClaim(file, ClaimSearch.Find(_opened[at], file.End).SyncedEnd, fault);
            CheckListed();
            CheckFirst(_opened[at], file);
        }

        CheckRest(at);
        CheckMissing();
        _replay.CheckChains();
        return new(_files, _index, _lastGroup, [.. _opened.Skip(at)]);
    }

    // A file goes on with the log when its first group's header is whole: that names what was synced before.
    private bool Begins(int at)
    {
        var file = _opened[at];
        if (file.Header is not { } header)
        {
            return false;
        }

        if (header.JournalId != _journalId)
        {
            throw new JournalDamagedException(file.Name, 0, $"a file of journal {header.JournalId} was found", $"one of {_journalId} was wanted");
        }

        var fault = file.TryReadGroup(FileHeader.SizeBytes, out var first);
        if (fault is null && _files.Count > 0)
        {
            CheckClaim(_files[^1], first.SyncedEnd, "the end of the valid groups was found");
        }

        // Only a new journal's first file may be without a group: a later one in its place means that those before it are gone.
        return fault is null || (at == 0 && file.Number == 1);
    }

    private JournalFile ScanFile(OpenedFile opened, out string fault)
    {
        var file = new JournalFile(opened.Header!.Value, opened.Content, opened.Name);
        _files.Add(file);
        string? found;
        while ((found = TryReadGroup(opened, file.End, out var group)) is null)
        {
            _replay.Take(file, file.End + GroupHeader.SizeBytes, _body.AsSpan(0, group.BodyBytes), group.RecordCount);
            _lastGroup = new(file, group);
            file.End += group.TotalBytes;
        }

        fault = found;
        return file;
    }

    private string? TryReadGroup(OpenedFile opened, int offset, out GroupHeader group)
    {
        if (opened.TryReadGroup(offset, out group) is { } fault)
        {
            return fault;
        }

        var last = _lastGroup?.Header.Number ?? 0;
        // In one file numbers grow by one; between files more may be missing, with the files that held them.
        if (offset == FileHeader.SizeBytes ? group.Number <= last : group.Number != last + 1)
        {
            return $"group {group.Number} was found after {last}";
        }

        if (_body.Length < group.BodyBytes)
        {
            _body = GC.AllocateUninitializedArray<byte>(group.BodyBytes);
        }

        var body = _body.AsSpan(0, group.BodyBytes);
        opened.Content.Read(offset + GroupHeader.SizeBytes, body);
        var checksum = Crc32C.Of(body);
        return checksum == group.BodyChecksum ? null : $"group {group.Number} with checksum {checksum:x8} was found instead of {group.BodyChecksum:x8}";
    }

    private static void CheckClaim(JournalFile file, JournalPlace synced, string fault)
    {
        // A claim about a later file says nothing about this one's end; the list in that file does.
        if (synced.File == file.Number && synced.Offset > file.End)
        {
            throw new JournalDamagedException(file.Name, file.End, fault, $"a valid group was wanted, for a later one says that this file was synced up to offset {synced.Offset}");
        }
    }

    // A file whose first group is torn was just begun, so the file before it must still be there.
    private void CheckFirst(OpenedFile opened, JournalFile file)
    {
        if (_files.Count > 1 && file.End == FileHeader.SizeBytes && opened.TryReadGroup(file.End, out var first) is null
            && first.SyncedEnd != new JournalPlace(_files[^2].Number, _files[^2].End))
        {
            throw new JournalDamagedException(
                _files[^2].Name, _files[^2].End, "the last group was found to end here", $"{file.Name} says that file {first.SyncedEnd.File} was synced up to offset {first.SyncedEnd.Offset}");
        }
    }

    private void CheckListed()
    {
        foreach (var listed in _replay.Listed)
        {
            if (_files.Find(file => file.Number == listed.Number) is { } file && file.Number < _files[^1].Number && file.Listed != listed)
            {
                throw new JournalDamagedException(
                    file.Name, Math.Min(file.End, listed.End), $"file {file.FileId} ending at {file.End} was found", $"{listed.FileId} ending at {listed.End} is listed in {_files[^1].Name}");
            }
        }
    }

    // What follows the end may only be files that were being made, or groups of which none was synced.
    private void CheckRest(int from)
    {
        for (var i = from; i < _opened.Count; i++)
        {
            var claim = ClaimSearch.Find(_opened[i], 0);
            var isBehind = claim.GroupNumber > 0 && (_files.Count == 0 || claim.SyncedEnd.CompareTo(new(_files[^1].Number, _files[^1].End)) > 0);
            // A file's header is synced before its first group is written: a newer group without one was there, and the header is damaged.
            var hasLostHeader = _opened[i].Header is null && claim.GroupNumber > (_lastGroup?.Header.Number ?? 0);
            if (hasLostHeader && !isBehind)
            {
                throw new JournalDamagedException(_opened[i].Name, 0, _opened[i].HeaderFault ?? "no header was found", $"the header of the file that holds group {claim.GroupNumber} was wanted");
            }

            if (isBehind)
            {
                var name = _files.Count == 0 ? _opened[from].Name : _files[^1].Name;
                var end = _files.Count == 0 ? 0 : _files[^1].End;
                throw new JournalDamagedException(
                    name, end, _opened[from].HeaderFault ?? "the end of the valid groups was found", $"{_opened[i].Name} says that file {claim.SyncedEnd.File} was synced up to offset {claim.SyncedEnd.Offset}");
            }
        }
    }

    private void CheckMissing()
    {
        foreach (var listed in _replay.Listed)
        {
            if (!_files.Exists(file => file.Number == listed.Number) && !_replay.IsRemoved(listed.FileId))
            {
                throw new JournalDamagedException(FileHeader.NameOf(listed.Number), 0, "no such file was found", $"it is listed in {_files[^1].Name} and was never removed");
            }
        }
    }
}
