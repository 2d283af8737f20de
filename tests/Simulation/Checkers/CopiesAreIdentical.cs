using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>Copies at the same position are the same, byte for byte and page by page.</summary>
internal sealed class CopiesAreIdentical : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var first = new Dictionary<Position, CopyImage>();
        foreach (var image in history.Images)
        {
            if (first.TryAdd(image.At, image))
            {
                continue;
            }

            var other = first[image.At];
            for (var page = 0; page < Math.Max(image.Pages.Count, other.Pages.Count); page++)
            {
                if (!PageOf(image, page).SequenceEqual(PageOf(other, page)))
                {
                    return $"page {page + 1} differs between {image.Copy} and {other.Copy}, both at {image.At}";
                }
            }
        }

        return null;
    }

    private static ReadOnlySpan<byte> PageOf(CopyImage image, int page) => page < image.Pages.Count ? image.Pages[page] : null;
}
