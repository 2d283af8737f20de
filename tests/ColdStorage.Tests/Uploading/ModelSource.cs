using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A model's log as a node has it: confirmed up to somewhere, trimmed up to somewhere, with a main file that is a mixture of states.</summary>
internal sealed class ModelSource(ModelLog log, Random random, bool isLeader = true) : IUploadSource
{
    private readonly Lock _gate = new();
    private int _confirmed; // entries
    private int _trimmed;

    public ModelLog Log => log;

    /// <summary>How many entries a quorum has.</summary>
    public int ConfirmedEntries
    {
        get => Volatile.Read(ref _confirmed);
        set => Volatile.Write(ref _confirmed, value);
    }

    /// <summary>Where the checkpoint before stood.</summary>
    public int CheckpointedEntries { get; set; }

    public int ReadEntries { get; private set; }

    public DatabaseId Database => log.Database;

    public Position Confirmed => PositionAt(ConfirmedEntries);

    public Position First => PositionAt(Volatile.Read(ref _trimmed));

    public long DatabaseBytes => (long)log.States[ConfirmedEntries].Length * ModelLog.PageBytes;

    public EpochTable? Epochs => isLeader ? log.Epochs : null;

    public Position PositionAt(int entries) => entries == 0 ? Position.Start : log.Entries[entries - 1].End;

    public void TrimTo(Position position)
    {
        if (position > First)
        {
            Volatile.Write(ref _trimmed, log.IndexOf(position));
        }
    }

    public bool Holds(Position position) => position == First || (position > First && log.IndexOf(position) > 0);

    public IReadOnlyList<Entry> Read(Position after, long maxBytes)
    {
        if (!Holds(after))
        {
            throw new InvalidOperationException($"{after} is not held.");
        }

        var entries = new List<Entry>();
        long bytes = 0;
        foreach (var entry in log.Entries.Skip(log.IndexOf(after)))
        {
            entries.Add(entry);
            ReadEntries++;
            bytes += entry.Encoded.Length;
            if (bytes >= maxBytes)
            {
                break;
            }
        }

        return entries;
    }

    public IMainFile? OpenMainFile()
    {
        lock (_gate)
        {
            return isLeader ? new Mixture(log, random, Math.Max(CheckpointedEntries, Volatile.Read(ref _trimmed)), () => ConfirmedEntries) : null;
        }
    }

    /// <summary>Each page is as some checkpoint between the marks left it, and parts of it as another.</summary>
    private sealed class Mixture(ModelLog log, Random random, int start, Func<int> confirmed) : IMainFile
    {
        private readonly int _from = start;
        private int _to = start;

        public int PageSizeBytes => ModelLog.PageBytes;

        public (Position From, Position To) ReadMarks() => (At(_from), At(_to));

        public int ReadPages(uint firstPage, Span<byte> target)
        {
            // A checkpoint may be under way: the file has the size of a state at its beginning or its end, and pages of both.
            var older = _to;
            _to = Math.Max(_to, confirmed());
            var size = log.States[random.Next(2) == 0 ? older : _to].Length;
            size = Math.Max(size, log.States[_to].Length); // cut off only when the checkpoint ends; growing is seen at its end at the latest
            var count = Math.Clamp(size - (int)(firstPage - 1), 0, target.Length / ModelLog.PageBytes);
            for (var i = 0; i < count; i++)
            {
                var page = target.Slice(i * ModelLog.PageBytes, ModelLog.PageBytes);
                Page(random.Next(_from, _to + 1), firstPage + (uint)i).CopyTo(page);
                var torn = random.Next(ModelLog.PageBytes);
                Page(random.Next(_from, _to + 1), firstPage + (uint)i).AsSpan(torn).CopyTo(page[torn..]);
            }

            return count;
        }

        public void Dispose()
        {
        }

        private Position At(int entries) => entries == 0 ? Position.Start : log.Entries[entries - 1].End;

        private byte[] Page(int state, uint number) => number <= log.States[state].Length ? log.States[state][number - 1] : new byte[ModelLog.PageBytes];
    }
}
