using Google.Protobuf;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Copies rows out of SQLite into the bytes of the contract's <c>RowBatch</c>, with no object in between.</summary>
internal sealed class EncodedRowsBuilder : IRowSink
{
    private const byte RowCountTag = 0x08; // field 1 of RowBatch, a varint
    private const byte ColumnTag = 0x12; // field 2, length-delimited
    private const int BytesPerColumn = 24; // tags and lengths around the vectors, at most

    private EncodedColumn[] _columns = [];
    private int _columnCount;

    /// <inheritdoc/>
    public int Rows { get; private set; }

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <summary>Rows of another statement follow.</summary>
    public void Start(int columnCount)
    {
        Clear();
        if (_columns.Length < columnCount)
        {
            var known = _columns.Length;
            Array.Resize(ref _columns, columnCount);
            for (var i = known; i < columnCount; i++)
            {
                _columns[i] = new EncodedColumn();
            }
        }

        _columnCount = columnCount;
    }

    /// <inheritdoc/>
    public bool TryAdd(nint statement, long maxBytes)
    {
        var bytes = 8 + ((long)BytesPerColumn * _columnCount);
        for (var i = 0; i < _columnCount; i++)
        {
            var column = _columns[i];
            column.Mark();
            column.Add(statement, i);
            bytes += column.ValueBytes;
            if (bytes > maxBytes && Rows > 0)
            {
                Undo(i);
                return false;
            }
        }

        Bytes = bytes;
        Rows++;
        return true;
    }

    /// <summary>The rows so far, encoded.</summary>
    public ByteString Take()
    {
        if (Rows == 0)
        {
            return ByteString.Empty;
        }

        var size = 1 + ByteBuffer.VarintBytes((uint)Rows);
        for (var i = 0; i < _columnCount; i++)
        {
            var column = _columns[i].EncodedBytes;
            size = checked(size + 1 + ByteBuffer.VarintBytes((uint)column) + column);
        }

        var batch = GC.AllocateUninitializedArray<byte>(size);
        batch[0] = RowCountTag;
        var room = batch.AsSpan(1);
        room = room[ByteBuffer.WriteVarint(room, (uint)Rows)..];
        for (var i = 0; i < _columnCount; i++)
        {
            var column = _columns[i];
            room[0] = ColumnTag;
            room = room[(1 + ByteBuffer.WriteVarint(room[1..], (uint)column.EncodedBytes))..];
            room = column.WriteTo(room);
        }

        Rows = 0;
        Bytes = 0;
        return UnsafeByteOperations.UnsafeWrap(batch); // nobody else has the array
    }

    /// <summary>Forgets rows that nobody wants any more.</summary>
    public void Clear()
    {
        for (var i = 0; i < _columnCount; i++)
        {
            _columns[i].Clear();
        }

        Rows = 0;
        Bytes = 0;
    }

    private void Undo(int lastColumn)
    {
        for (var i = 0; i <= lastColumn; i++)
        {
            _columns[i].Undo();
        }
    }
}
