using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Testing;

/// <summary>A disk in memory that loses, at a crash, any subset of what was not synced, and fails on demand.</summary>
/// <remarks>
/// What is written is seen at once, and is durable after a sync. A crash decides for each unsynced sector of 512 bytes, and each unsynced name, whether it
/// reached the disk. A failed sync leaves pages that look clean: they are seen, and no later sync writes them.
/// </remarks>
public sealed class SimulatedDisk(Random random) : IJournalDisk
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _locks = [];
    private readonly Dictionary<string, SimulatedFileContent> _names = [];
    private Dictionary<string, SimulatedFileContent> _durableNames = [];
    private int _life; // handles of an earlier life are dead

    /// <summary>Room for new files.</summary>
    public long FreeBytes { get; set; } = long.MaxValue;

    /// <summary>The write that fails, counted from now; 0 for none.</summary>
    public int FailingWrite { get; set; }

    /// <summary>The sync, of data or of names, that fails, counted from now; 0 for none.</summary>
    public int FailingSync { get; set; }

    /// <summary>Writes so far.</summary>
    public int Writes { get; private set; }

    /// <summary>Syncs of data so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>The power goes: open handles are dead, unsynced sectors and names are kept or lost by chance.</summary>
    public void Crash()
    {
        lock (_gate)
        {
            Kill();
            foreach (var path in _names.Keys.Union(_durableNames.Keys).ToList())
            {
                var source = random.Next(2) == 0 ? _names : _durableNames;
                var content = source.GetValueOrDefault(path);
                if (content is null)
                {
                    _names.Remove(path);
                }
                else
                {
                    _names[path] = content;
                }
            }

            // One crash loses all, one nothing, most a part: the ends are the cases that chance alone would hardly meet.
            var keptPercent = random.Next(4) switch { 0 => 0, 1 => 100, _ => random.Next(101) };
            foreach (var content in _names.Values)
            {
                content.Crash(random, keptPercent);
            }

            _durableNames = new(_names);
        }
    }

    /// <summary>The process is killed: open handles and locks are dead, the page cache stays.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            _life++;
            _locks.Clear();
            (FailingSync, FailingWrite) = (0, 0);
        }
    }

    /// <summary>A file's bytes as they are seen now.</summary>
    public byte[] Read(string path)
    {
        lock (_gate)
        {
            return [.. _names[path].Seen];
        }
    }

    /// <summary>Replaces a file's bytes, durably.</summary>
    public void Replace(string path, byte[] bytes)
    {
        lock (_gate)
        {
            _durableNames[path] = _names[path] = new(bytes.Length);
            _names[path].Write(0, bytes);
            _names[path].Sync();
        }
    }

    /// <summary>Flips one bit, durably.</summary>
    public void FlipBit(string path, long bit)
    {
        var bytes = Read(path);
        bytes[bit / 8] ^= (byte)(1 << (int)(bit % 8));
        Replace(path, bytes);
    }

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder)
    {
        lock (_gate)
        {
            return [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path))];
        }
    }

    /// <inheritdoc/>
    public IJournalFile Create(string path, long sizeBytes)
    {
        lock (_gate)
        {
            if (sizeBytes > FreeBytes)
            {
                throw new DiskFullException(path, sizeBytes);
            }

            FreeBytes -= sizeBytes;
            var content = new SimulatedFileContent((int)sizeBytes);
            _names.Add(path, content);
            return new Handle(this, content);
        }
    }

    /// <inheritdoc/>
    public IJournalFile Open(string path)
    {
        lock (_gate)
        {
            return new Handle(this, _names[path]);
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        lock (_gate)
        {
            _names.Remove(path, out var content);
            FreeBytes += FreeBytes == long.MaxValue ? 0 : content?.Seen.Length ?? 0;
        }
    }

    /// <inheritdoc/>
    public void SyncFolder(string folder)
    {
        lock (_gate)
        {
            if (FailingSync > 0 && --FailingSync == 0)
            {
                throw new IOException("The simulated disk failed to sync a folder.");
            }

            _durableNames = new(_names);
        }
    }

    /// <inheritdoc/>
    public IDisposable Lock(string path)
    {
        lock (_gate)
        {
            return _locks.Add(path) ? new Unlock(this, path, _life) : throw new IOException($"{path} is locked.");
        }
    }

    private sealed class Unlock(SimulatedDisk disk, string path, int life) : IDisposable
    {
        public void Dispose()
        {
            lock (disk._gate)
            {
                if (life == disk._life)
                {
                    disk._locks.Remove(path);
                }
            }
        }
    }

    private sealed class Handle(SimulatedDisk disk, SimulatedFileContent content) : IJournalFile
    {
        private readonly int _life = disk._life;

        public long SizeBytes => content.Seen.Length;

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            lock (disk._gate)
            {
                ThrowIfDead();
                disk.Writes++;
                var bytes = Join(parts);
                var fails = disk.FailingWrite > 0 && --disk.FailingWrite == 0;
                content.Write((int)offset, fails ? bytes.AsSpan(0, disk.NextBelow(bytes.Length)) : bytes);
                if (fails)
                {
                    throw new IOException("The simulated disk failed a write.");
                }
            }
        }

        public void Read(long offset, Span<byte> target)
        {
            lock (disk._gate)
            {
                ThrowIfDead();
                if (offset + target.Length > content.Seen.Length)
                {
                    throw new EndOfStreamException();
                }

                content.Seen.AsSpan((int)offset, target.Length).CopyTo(target);
            }
        }

        public void SyncData()
        {
            lock (disk._gate)
            {
                ThrowIfDead();
                disk.Syncs++;
                if (disk.FailingSync > 0 && --disk.FailingSync == 0)
                {
                    content.FailSync(disk.NextBelow);
                    throw new IOException("The simulated disk failed a sync.");
                }

                content.Sync();
            }
        }

        public void Dispose()
        {
        }

        private static byte[] Join(IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            var bytes = new byte[parts.Sum(part => part.Length)];
            var target = bytes.AsSpan();
            foreach (var part in parts)
            {
                part.Span.CopyTo(target);
                target = target[part.Length..];
            }

            return bytes;
        }

        private void ThrowIfDead()
        {
            if (_life != disk._life)
            {
                throw new IOException("The simulated process that opened this file is gone.");
            }
        }
    }

    private int NextBelow(int end) => random.Next(end);
}
