using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A replica's WAL: pages are built when an entry comes, from the newest that are there, and shown when it is confirmed.</summary>
internal sealed class HiddenEntries(PageImage visible, Position newestPages, Plant plant)
{
    private readonly List<(Entry Entry, List<(int Page, byte[] Bytes)> Pages)> _hidden = [];
    private PageImage _newest = visible.Copy();

    /// <summary>What readers see.</summary>
    public PageImage Visible { get; } = visible;

    /// <summary>With everything hidden applied.</summary>
    public PageImage Newest => _newest;

    public Position End => _newest.At;

    /// <summary>The greatest hidden position that is not above a mark.</summary>
    public Position? FloorOf(Position mark) => _hidden.FindLast(hidden => hidden.Entry.End <= mark).Entry?.End;

    public void Append(Entry entry)
    {
        var pages = new List<(int, byte[])>();
        _newest.Apply(entry, isReplay: entry.End <= newestPages);
        foreach (var record in entry.Pages)
        {
            pages.Add(((int)record.PageNumber, _newest.Pages[(int)record.PageNumber - 1]!));
        }

        _hidden.Add((entry, pages));
    }

    public void DiscardAfter(Position position)
    {
        var keep = position == Visible.At ? 0 : _hidden.FindIndex(hidden => hidden.Entry.End == position) + 1;
        _hidden.RemoveRange(keep, _hidden.Count - keep);
        var old = _newest;
        _newest = Visible.Copy();
        _hidden.ForEach(hidden => Put(_newest, hidden));
        if (plant.KeepsPagesOfDiscardedTail)
        {
            for (var page = 1; page <= old.PageCount; page++)
            {
                _newest.Set(page, old.Pages[page - 1]!);
            }
        }
    }

    public void Publish(Position position)
    {
        if (position == Visible.At)
        {
            return;
        }

        var count = _hidden.FindIndex(hidden => hidden.Entry.End == position) + 1;
        for (var i = 0; i < count; i++)
        {
            Put(Visible, _hidden[i]);
        }

        _hidden.RemoveRange(0, count);
    }

    private static void Put(PageImage image, (Entry Entry, List<(int Page, byte[] Bytes)> Pages) hidden)
    {
        foreach (var (page, bytes) in hidden.Pages)
        {
            image.Set(page, bytes);
        }

        image.MoveTo(hidden.Entry);
    }
}
