namespace ReplicatedSqlite.Journal;

/// <summary>A journal file as it was found. A header that is not whole is normal in a file that was being made.</summary>
internal sealed class OpenedFile(int number, string name, IJournalFile content)
{
    public int Number => number;

    public string Name => name;

    public IJournalFile Content => content;

    public FileHeader? Header { get; private set; }

    public string? HeaderFault { get; private set; }

    public static OpenedFile Open(IJournalDisk disk, string folder, int number)
    {
        var name = FileHeader.NameOf(number);
        var file = new OpenedFile(number, name, disk.Open(Path.Combine(folder, name)));
        Span<byte> bytes = stackalloc byte[FileHeader.SizeBytes];
        if (file.Content.SizeBytes < FileHeader.SizeBytes)
        {
            file.HeaderFault = $"{file.Content.SizeBytes} bytes were found";
            return file;
        }

        file.Content.Read(0, bytes);
        file.HeaderFault = FileHeader.TryRead(bytes, name, out var header);
        if (file.HeaderFault is null && header.FileSizeBytes != file.Content.SizeBytes)
        {
            file.HeaderFault = $"{file.Content.SizeBytes} bytes were found in a file made with {header.FileSizeBytes}";
        }

        file.Header = file.HeaderFault is null ? header : null;
        return file;
    }

    /// <summary>Reads the group header at an offset, if a valid one stands there.</summary>
    public string? TryReadGroup(int offset, out GroupHeader header)
    {
        header = default;
        if (offset + GroupHeader.SizeBytes > Content.SizeBytes)
        {
            return "the file's end was found";
        }

        Span<byte> bytes = stackalloc byte[GroupHeader.SizeBytes];
        Content.Read(offset, bytes);
        return GroupHeader.TryRead(bytes, offset, Content.SizeBytes, out header)
            ?? (Header is { } file && header.FileId != file.FileId ? $"a group of another file ({header.FileId}) was found" : null);
    }
}
