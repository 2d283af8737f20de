namespace ReplicatedSqlite.ColdStorage;

/// <summary>Memory in parts, read as one stream without a copy of it all. It can be read again, as a client that repeats or signs needs.</summary>
internal sealed class PartsStream(IReadOnlyList<ReadOnlyMemory<byte>> parts) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = parts.Sum(static part => (long)part.Length);

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 && value <= Length ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>Up to so many bytes from here on, passed over here.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Take(int bytes)
    {
        var taken = new List<ReadOnlyMemory<byte>>();
        var start = 0L;
        foreach (var part in parts)
        {
            var skipped = Math.Clamp(_position - start, 0, part.Length);
            start += part.Length;
            var count = (int)Math.Min(part.Length - skipped, bytes);
            if (count > 0)
            {
                taken.Add(part.Slice((int)skipped, count));
                bytes -= count;
                _position += count;
            }
        }

        return taken;
    }

    public override int Read(Span<byte> buffer)
    {
        var done = 0;
        foreach (var part in Take(buffer.Length))
        {
            part.Span.CopyTo(buffer[done..]);
            done += part.Length;
        }

        return done;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        _ => Length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
