using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>A file that a record names: its number, its id, and where its groups end.</summary>
internal readonly record struct ListedFile(int Number, Guid FileId, int End);

/// <summary>Bodies of the records that name files, so that a lost file is noticed.</summary>
internal static class FileListRecord
{
    private const int ItemBytes = 24;

    public static int SizeOf(int count) => count * ItemBytes;

    public static byte[] Encode(IReadOnlyCollection<ListedFile> files)
    {
        var bytes = new byte[files.Count * ItemBytes];
        var target = bytes.AsSpan();
        foreach (var file in files)
        {
            BinaryPrimitives.WriteInt32LittleEndian(target, file.Number);
            file.FileId.TryWriteBytes(target[4..], bigEndian: true, out _);
            BinaryPrimitives.WriteInt32LittleEndian(target[20..], file.End);
            target = target[ItemBytes..];
        }

        return bytes;
    }

    public static string? TryRead(ReadOnlySpan<byte> source, out IReadOnlyList<ListedFile> files)
    {
        var list = new List<ListedFile>();
        files = list;
        if (source.Length % ItemBytes != 0)
        {
            return $"a list of files of {source.Length} bytes was found; a multiple of {ItemBytes} was wanted";
        }

        for (; !source.IsEmpty; source = source[ItemBytes..])
        {
            list.Add(new(
                BinaryPrimitives.ReadInt32LittleEndian(source),
                new Guid(source.Slice(4, 16), bigEndian: true),
                BinaryPrimitives.ReadInt32LittleEndian(source[20..])));
        }

        return null;
    }
}
