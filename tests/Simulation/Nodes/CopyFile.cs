using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A copy's main file and sidecar on a node's disk: replay starts at <see cref="From"/>, and pages may be as new as <see cref="To"/>.</summary>
internal sealed class CopyFile
{
    public PageImage Image { get; private set; } = new();

    public Position From => Image.At;

    public Position To { get; private set; } = Position.Start;

    /// <summary>Brings a newer image into the file. A crash in between leaves some of its pages.</summary>
    public void Checkpoint(World world, PageImage newer, bool isComplete)
    {
        To = newer.At > To ? newer.At : To;
        if (isComplete && newer.At >= To)
        {
            Image = newer.Copy();
            return;
        }

        for (var page = 1; page <= newer.PageCount; page++)
        {
            if (newer.Pages[page - 1] is { } bytes && world.Chance(0.5))
            {
                Image.Set(page, bytes);
            }
        }
    }

    /// <summary>Replaces everything.</summary>
    public void Install(PageImage image)
    {
        Image = image.Copy();
        To = image.At;
    }
}
