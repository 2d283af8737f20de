using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>The last images of a writer's pages, in the primary's own cache. They belong to one leadership.</summary>
internal sealed class WriterImages
{
    private readonly ImageCache _images = new(new ImageBudget(1 << 20));

    public void Add(EntryBuilder builder, int page, ReadOnlySpan<byte> image)
    {
        var checksum = Crc32C.Of(image);
        if (_images.Find((uint)page) is { } before)
        {
            builder.AddPatch((uint)page, before.Bytes, before.Checksum, image, checksum);
            before.Set(image, checksum);
        }
        else
        {
            builder.AddPage((uint)page, image);
            _images.Add((uint)page, image, checksum);
        }
    }
}
