namespace ReplicatedSqlite.Testing;

/// <summary>A file's bytes as they are seen, as they are on the disk, and the sectors that differ because nobody synced them.</summary>
internal sealed class SimulatedFileContent(int sizeBytes)
{
    private const int SectorBytes = 512;
    private readonly byte[] _durable = new byte[sizeBytes];
    private readonly HashSet<int> _dirty = [];

    public byte[] Seen { get; } = new byte[sizeBytes];

    public void Write(int offset, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Seen.AsSpan(offset));
        for (var sector = offset / SectorBytes; bytes.Length > 0 && sector <= (offset + bytes.Length - 1) / SectorBytes; sector++)
        {
            _dirty.Add(sector);
        }
    }

    public void Sync()
    {
        foreach (var sector in _dirty)
        {
            Persist(sector);
        }

        _dirty.Clear();
    }

    public void FailSync(Func<int, int> nextBelow)
    {
        foreach (var sector in _dirty.Order().Where(_ => nextBelow(2) == 0))
        {
            Persist(sector);
        }

        _dirty.Clear();
    }

    public void Crash(Random random, int keptPercent)
    {
        foreach (var sector in _dirty.Order().Where(_ => random.Next(100) < keptPercent))
        {
            Persist(sector);
        }

        _dirty.Clear();
        _durable.CopyTo(Seen.AsSpan());
    }

    private void Persist(int sector)
    {
        var start = sector * SectorBytes;
        var length = Math.Min(SectorBytes, _durable.Length - start);
        Seen.AsSpan(start, length).CopyTo(_durable.AsSpan(start));
    }
}
