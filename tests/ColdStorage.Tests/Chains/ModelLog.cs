using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A log of random changes to pages, with the state at the end of every entry kept beside it.</summary>
internal sealed class ModelLog
{
    public const int PageBytes = 512;

    private static readonly byte[] _unwritten = new byte[PageBytes]; // a page that the database grew over and never wrote: SQLite does so with free pages

    private readonly Random _random;
    private long _commitTime = 1_700_000_000_000_000;

    public ModelLog(Random random, DatabaseId? database = null)
    {
        _random = random;
        Database = database ?? new DatabaseId(new Guid(random.Next(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        States.Add([Sqlite.DatabaseFile.FirstPage(PageBytes)]);
    }

    private ModelLog(ModelLog other, int count)
    {
        (_random, _commitTime, Database, Epochs) = (other._random, other._commitTime, other.Database, other.EpochsAt(count));
        States.AddRange(other.States.Take(count + 1));
        Entries.AddRange(other.Entries.Take(count));
    }

    public DatabaseId Database { get; }

    public List<Entry> Entries { get; } = [];

    /// <summary>One more than entries: the first is the empty database.</summary>
    public List<byte[][]> States { get; } = [];

    public EpochTable Epochs { get; private set; } = EpochTable.Empty;

    public Position End => Entries.Count > 0 ? Entries[^1].End : Position.Start;

    /// <summary>Goes on from an earlier end: another branch.</summary>
    public ModelLog Branch(int entries) => new(this, entries);

    public EpochTable EpochsAt(int entries) => Entries.Take(entries).LastOrDefault(entry => entry.EpochTable is not null)?.EpochTable ?? EpochTable.Empty;

    public int IndexOf(Position end) => end == Position.Start ? 0 : Entries.FindIndex(entry => entry.End == end) + 1;

    public ModelLog OpenEpoch(uint epoch)
    {
        var entry = EpochEntry.Create(Header(epoch, 1, (uint)States[^1].Length) with { Flags = EntryFlags.EpochEntry }, Epochs);
        Epochs = entry.EpochTable!;
        Entries.Add(entry);
        States.Add(States[^1]);
        return this;
    }

    public ModelLog Write(int entries)
    {
        for (var i = 0; i < entries; i++)
        {
            WriteOne();
        }

        return this;
    }

    public byte[] ImageAt(int entries) => [.. States[entries].SelectMany(static page => page)];

    private void WriteOne()
    {
        _commitTime += _random.Next(3) == 0 ? 0 : _random.Next(10_000_000);
        var before = States[^1];
        var after = before.Take(_random.Next(15) == 0 ? _random.Next(1, before.Length + 1) : before.Length).Select(page => _random.Next(4) == 0 ? Change(page) : page).ToList();
        for (var more = _random.Next(4) == 0 ? _random.Next(1, 5) : 0; more > 0; more--)
        {
            after.Add(_random.Next(4) == 0 ? _unwritten : New());
        }

        var changed = Enumerable.Range(0, after.Count)
            .Where(i => i >= before.Length ? !ReferenceEquals(after[i], _unwritten) : !ReferenceEquals(before[i], after[i])).ToList();
        var builder = new EntryBuilder(Header(End.Epoch, _random.Next(3) == 0 ? _random.Next(1, 6) : 1, (uint)after.Count), changed.Count);
        foreach (var i in changed)
        {
            if (i < before.Length && _random.Next(4) != 0)
            {
                builder.AddPatch((uint)i + 1, before[i], Crc32C.Of(before[i]), after[i], Crc32C.Of(after[i]));
            }
            else
            {
                builder.AddPage((uint)i + 1, after[i]);
            }
        }

        Entries.Add(builder.Build());
        States.Add([.. after]);
    }

    private byte[] New()
    {
        var page = new byte[PageBytes];
        _random.NextBytes(page.AsSpan(0, _random.Next(PageBytes)));
        return page;
    }

    private byte[] Change(byte[] page)
    {
        var changed = page.ToArray();
        for (var i = _random.Next(1, 20); i > 0; i--)
        {
            changed[_random.Next(PageBytes)] = (byte)_random.Next(256);
        }

        return changed;
    }

    private EntryHeader Header(uint epoch, int writes, uint pages) => new()
    {
        Database = Database,
        Epoch = epoch,
        FirstSequence = End.Sequence + 1,
        LastSequence = End.Sequence + (ulong)writes,
        Predecessor = End,
        PageSizeBytes = PageBytes,
        DatabaseSizePages = pages,
        CommitTimeMicroseconds = _commitTime,
    };
}
