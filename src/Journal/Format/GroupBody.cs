namespace ReplicatedSqlite.Journal;

/// <summary>Walks the records of a group whose checksums are right.</summary>
internal ref struct GroupBody(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    /// <summary>Offset of the next record in the body.</summary>
    public int Offset { get; private set; }

    /// <summary>Reads the next record.</summary>
    /// <returns><see langword="false"/> at the end, or with a fault.</returns>
    public bool TryNext(out RecordHeader header, out ReadOnlySpan<byte> recordBody, out string? fault)
    {
        recordBody = default;
        header = default;
        fault = _rest.IsEmpty ? null : RecordHeader.TryRead(_rest, _rest.Length, out header);
        if (_rest.IsEmpty || fault is not null)
        {
            return false;
        }

        recordBody = _rest.Slice(RecordHeader.SizeBytes, header.BodyBytes);
        Offset += RecordHeader.SizeBytes + header.BodyBytes;
        _rest = _rest[(RecordHeader.SizeBytes + header.BodyBytes)..];
        return true;
    }
}
