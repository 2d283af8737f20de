using System.Collections.Concurrent;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What was written and seen, checked against each other when all is over.</summary>
/// <remarks>Every row carries its place in the commit order (its id), so that what a reader saw is exactly a number: the greatest id.</remarks>
internal sealed class HopHistory
{
    private readonly ConcurrentDictionary<long, Bookmark> _writes = new();
    private readonly ConcurrentBag<Seen> _reads = [];

    public int Reads => _reads.Count;

    /// <summary>A write was answered.</summary>
    public void Wrote(long id, Bookmark bookmark) =>
        Assert.True(_writes.TryAdd(id, bookmark), $"Two writes were answered with the id {id}.");

    /// <summary>An answer showed every row up to <paramref name="greatest"/>.</summary>
    public void Saw(long greatest, Bookmark sent, Bookmark answered, string who) => _reads.Add(new(greatest, sent, answered, who));

    /// <summary>Checks everything against what the primary holds in the end.</summary>
    /// <param name="final">The greatest id at the primary.</param>
    public void Check(long final)
    {
        Assert.Equal(final, _writes.Count);
        var bookmarks = new Bookmark[final + 1];
        for (var id = 1L; id <= final; id++)
        {
            Assert.True(_writes.TryGetValue(id, out bookmarks[id]), $"Row {id} is there, but its write was not answered.");
            Assert.True(bookmarks[id] > bookmarks[id - 1], $"Row {id} was committed after row {id - 1}, but its bookmark {bookmarks[id]} is not later than {bookmarks[id - 1]}.");
        }

        foreach (var (greatest, sent, answered, who) in _reads)
        {
            Assert.True(greatest <= final, $"{who} saw row {greatest}, which the primary does not have.");
            Assert.True(bookmarks[greatest] <= answered, $"{who} saw row {greatest} of {bookmarks[greatest]}, but its answer says {answered}.");
            var next = greatest < final ? bookmarks[greatest + 1] : Bookmark.Start;
            Assert.True(greatest == final || next > sent, $"{who} asked for {sent}, but did not see row {greatest + 1} of {next}.");
        }
    }

    private readonly record struct Seen(long Greatest, Bookmark Sent, Bookmark Answered, string Who);
}
