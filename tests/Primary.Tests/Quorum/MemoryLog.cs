using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>What a node has of one database on disk.</summary>
internal sealed class MemoryLog : ILogView
{
    private readonly List<Entry> _entries = [];

    public Position First { get; private set; }

    public Position Last => _entries.Count == 0 ? First : _entries[^1].End;

    public IReadOnlyList<Entry> Entries => _entries;

    public bool Holds(Position position) => position == First || _entries.Exists(entry => entry.End == position);

    public Position FloorOf(uint epoch, ulong sequence)
    {
        var wanted = new Position(epoch, sequence, default);
        return _entries.FindLast(entry => entry.End <= wanted)?.End ?? First;
    }

    public void Append(Entry entry)
    {
        Assert.Equal(Last, entry.Predecessor);
        _entries.Add(entry);
    }

    public void CutTo(Position end) => _entries.RemoveAll(entry => entry.End > end);

    public void TrimTo(Position to)
    {
        _entries.RemoveAll(entry => entry.End <= to);
        First = to;
    }

    public void StartAt(Position start)
    {
        _entries.Clear();
        First = start;
    }

    /// <summary>Entries right behind a position; nothing if it is not here.</summary>
    public ImmutableArray<Entry> Read(Position after, int most) =>
        Holds(after) ? [.. _entries.SkipWhile(entry => entry.Predecessor != after).Take(most)] : [];
}
