namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Steps through the fields of a serialised message. Stops at the first bytes that are no field: the parser words the error.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> message)
{
    private const int MaxGroupDepth = 100;

    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The next field; <paramref name="value"/> is empty unless it is length-delimited.</summary>
    public bool TryReadField(out int number, out ReadOnlySpan<byte> value)
    {
        value = default;
        number = 0;
        if (!TryReadVarint(out var tag)) return false;
        number = (int)(uint)tag >>> 3;
        return TryReadValue((int)(tag & 7), number, 0, out value);
    }

    private bool TryReadValue(int wireType, int number, int depth, out ReadOnlySpan<byte> value)
    {
        value = default;
        switch (wireType)
        {
            case 0:
                return TryReadVarint(out _);
            case 1:
                return TrySkip(8);
            case 5:
                return TrySkip(4);
            case 2:
                if (!TryReadVarint(out var length) || length > (ulong)_rest.Length) return false;
                value = _rest[..(int)length];
                _rest = _rest[(int)length..];
                return true;
            case 3:
                return depth < MaxGroupDepth && TrySkipGroup(number, depth + 1);
            default:
                return false;
        }
    }

    // Groups are unknown to proto3 and kept as unknown fields: what is inside belongs to no field of ours.
    private bool TrySkipGroup(int number, int depth)
    {
        while (TryReadVarint(out var tag))
        {
            var inner = (int)(uint)tag >>> 3;
            var wireType = (int)(tag & 7);
            if (wireType == 4) return inner == number;
            if (!TryReadValue(wireType, inner, depth, out _)) return false;
        }

        return false;
    }

    private bool TrySkip(int bytes)
    {
        if (_rest.Length < bytes) return false;
        _rest = _rest[bytes..];
        return true;
    }

    private bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < _rest.Length; i++)
        {
            var b = _rest[i];
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b >= 0x80) continue;
            _rest = _rest[(i + 1)..];
            return true;
        }

        return false;
    }
}
