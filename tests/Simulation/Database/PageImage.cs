using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A database as pages. A page's bytes never change once they are here, so copies share them.</summary>
internal sealed class PageImage
{
    public const int PageSize = 512;

    private byte[]?[] _pages;

    public PageImage() => _pages = [];

    private PageImage(byte[]?[] pages, Position at, EpochTable epochs) => (_pages, At, Epochs) = (pages, at, epochs);

    public Position At { get; private set; } = Position.Start;

    public EpochTable Epochs { get; private set; } = EpochTable.Empty;

    /// <summary>The follower sets in force here.</summary>
    public KnownSets? Sets { get; private set; }

    public int PageCount => _pages.Length;

    public IReadOnlyList<byte[]?> Pages => _pages;

    public ReadOnlySpan<byte> this[int page] => page <= _pages.Length ? _pages[page - 1] : null;

    public PageImage Copy() => new([.. _pages], At, Epochs) { Sets = Sets };

    /// <summary>Replaces a page.</summary>
    public void Set(int page, byte[] bytes)
    {
        if (page > _pages.Length)
        {
            Array.Resize(ref _pages, page);
        }

        _pages[page - 1] = bytes;
    }

    /// <summary>Applies an entry's pages.</summary>
    /// <param name="entry">The next one.</param>
    /// <param name="isReplay">Pages may be newer than the entry: their checksums say nothing.</param>
    public void Apply(Entry entry, bool isReplay = false)
    {
        foreach (var record in entry.Pages)
        {
            var page = new byte[PageSize];
            if (record.IsPatch)
            {
                this[(int)record.PageNumber].CopyTo(page);
            }

            if (isReplay)
            {
                record.ApplyTo(page);
            }
            else
            {
                record.ApplyChecked(page, entry);
            }

            Set((int)record.PageNumber, page);
        }

        MoveTo(entry);
    }

    /// <summary>The pages are there already: only the position moves.</summary>
    public void MoveTo(Entry entry)
    {
        At = entry.End;
        Epochs = entry.EpochTable ?? Epochs;
        Sets = FollowerSets.Of(entry) is { } sets ? new(entry.End, sets) : Sets;
    }
}
