using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Puts a group together for one gathered write: headers in a buffer of its own, bodies where they are.</summary>
internal sealed class GroupBuilder
{
    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private byte[] _headers = new byte[4096];
    private readonly List<(int Start, ReadOnlyMemory<byte> Body)> _records = [];
    private int _headerBytes = GroupHeader.SizeBytes;
    private int _bodyBytes;

    /// <summary>Bytes of the group so far.</summary>
    public int TotalBytes => GroupHeader.SizeBytes + _bodyBytes;

    public int RecordCount => _records.Count;

    public void Clear()
    {
        _records.Clear();
        _parts.Clear();
        _headerBytes = GroupHeader.SizeBytes;
        _bodyBytes = 0;
    }

    /// <summary>Adds a record.</summary>
    /// <returns>Where its header will stand, counted from the group's header.</returns>
    public int Add(RecordKind kind, ReadOnlyMemory<byte> body, int previous)
    {
        var at = TotalBytes;
        if (_headers.Length < _headerBytes + RecordHeader.SizeBytes)
        {
            Array.Resize(ref _headers, _headers.Length * 2);
        }

        new RecordHeader(kind, body.Length, previous).Write(_headers.AsSpan(_headerBytes));
        _records.Add((_headerBytes, body));
        _headerBytes += RecordHeader.SizeBytes;
        _bodyBytes += RecordHeader.SizeBytes + body.Length;
        return at;
    }

    /// <summary>Closes the group. The parts stay good until the next <see cref="Clear"/>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Build(ulong number, Guid fileId, int offset, JournalPlace syncedEnd)
    {
        var checksum = uint.MaxValue;
        _parts.Add(_headers.AsMemory(0, GroupHeader.SizeBytes));
        foreach (var (start, body) in _records)
        {
            var header = _headers.AsMemory(start, RecordHeader.SizeBytes);
            checksum = Crc32C.Append(Crc32C.Append(checksum, header.Span), body.Span);
            _parts.Add(header);
            _parts.Add(body);
        }

        new GroupHeader(number, fileId, offset, _bodyBytes, _records.Count, syncedEnd, ~checksum).Write(_headers);
        return _parts;
    }
}
