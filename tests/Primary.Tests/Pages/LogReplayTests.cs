using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Pages that a shrinking database lost, and that it has again later without writing them, read as zeros: never as what was there before.</summary>
public sealed class LogReplayTests : IDisposable
{
    private const int PageBytes = 512;

    private static readonly Position _begin = new(1, 1, new ChainHash(1, 1));
    private static readonly DatabaseId _database = new(new Guid(1, 2, 3, new byte[8]));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_first_entry_that_shrinks_the_database_cuts_what_a_later_one_grows_over()
    {
        var first = Build(_begin, 1, 2, 1);
        var second = Build(first.End, 2, 5, 5); // pages 3 and 4 came back and were never written
        var expected = Page(1).Concat(Page(9)).Concat(new byte[2 * PageBytes]).Concat(Page(2)).ToArray();
        Assert.Equal(expected, Replay(Enumerable.Repeat((byte)9, 8 * PageBytes).ToArray(), _begin, first, second));
    }

    [Fact]
    public void Over_a_mixture_that_is_newer_it_is_the_same()
    {
        foreach (var seed in Seeds.Of(usual: 200, full: 20_000))
        {
            var random = new Random(seed);
            var entries = new List<Entry>();
            var states = new List<byte[]> { Enumerable.Repeat((byte)200, random.Next(1, 8) * PageBytes).ToArray() };
            for (var i = 0; i < 8; i++)
            {
                var size = random.Next(1, 10);
                var written = Enumerable.Range(1, size).Where(_ => random.Next(3) == 0).Select(static page => (uint)page).ToArray();
                var state = new byte[size * PageBytes];
                states[^1].AsSpan(0, Math.Min(state.Length, states[^1].Length)).CopyTo(state);
                foreach (var page in written)
                {
                    Page((byte)(i + 1)).CopyTo(state.AsSpan((int)(page - 1) * PageBytes));
                }

                entries.Add(Build(entries.Count > 0 ? entries[^1].End : _begin, (byte)(i + 1), (uint)size, written));
                states.Add(state);
            }

            // A checkpoint of a state within the stretch was cut short: pages of the beginning, pages of the end, and the longer of the two.
            var to = random.Next(1, states.Count);
            var mixture = (states[0].Length > states[to].Length ? states[0] : states[to]).ToArray();
            for (var offset = 0; offset < Math.Min(states[0].Length, states[to].Length); offset += PageBytes)
            {
                (random.Next(2) == 0 ? states[0] : states[to]).AsSpan(offset, PageBytes).CopyTo(mixture.AsSpan(offset));
            }

            var replayed = Replay(mixture, entries[to - 1].End, [.. entries]);
            Assert.True(states[^1].AsSpan().SequenceEqual(replayed), $"seed {seed}: the file is not the state at the log's end");
        }
    }

    private byte[] Replay(byte[] content, Position to, params Entry[] entries)
    {
        var path = Path.Combine(_folder.Path, "db.sqlite");
        File.WriteAllBytes(path, content);
        using (var replay = new LogReplay(path, to))
        {
            foreach (var entry in entries)
            {
                replay.Apply(entry);
            }

            replay.Finish(syncs: true);
        }

        return File.ReadAllBytes(path);
    }

    private static Entry Build(Position predecessor, byte fill, uint sizePages, params uint[] pages)
    {
        var builder = new EntryBuilder(
            new EntryHeader
            {
                Database = _database,
                Epoch = 1,
                FirstSequence = predecessor.Sequence + 1,
                LastSequence = predecessor.Sequence + 1,
                Predecessor = predecessor,
                PageSizeBytes = PageBytes,
                DatabaseSizePages = sizePages,
                CommitTimeMicroseconds = 1,
            },
            pages.Length);
        foreach (var page in pages)
        {
            builder.AddPage(page).Fill(fill);
        }

        return builder.Build();
    }

    private static byte[] Page(byte fill) => [.. Enumerable.Repeat(fill, PageBytes)];
}
