using System.Text;
using System.Text.Unicode;
using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Copies rows out of SQLite into the contract's batches, which hold them by column.</summary>
internal sealed unsafe class RowBatchBuilder : IRowSink
{
    private const byte InvalidText = 5;
    private const int BytesPerColumn = 24; // lengths and tags of the message around the vectors, at most

    private static readonly ByteString[] _singles = [.. Enumerable.Range(0, 6).Select(type => ByteString.CopyFrom((byte)type))];

    private ColumnData[] _columns = [];
    private byte[][] _types = [];
    private int _columnCount;

    /// <inheritdoc/>
    public int Rows { get; private set; }

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <summary>Rows of another statement follow.</summary>
    public void Start(int columnCount)
    {
        _columnCount = columnCount;
        if (_columns.Length < columnCount)
        {
            var known = _types.Length;
            Array.Resize(ref _columns, columnCount);
            Array.Resize(ref _types, columnCount);
            for (var i = known; i < columnCount; i++)
            {
                _types[i] = new byte[16];
            }
        }

        Clear();
    }

    /// <inheritdoc/>
    public bool TryAdd(nint statement, long maxBytes)
    {
        if (Rows == 0)
        {
            for (var i = 0; i < _columnCount; i++)
            {
                _columns[i] = new ColumnData();
            }

            Bytes = 8 + ((long)BytesPerColumn * _columnCount);
        }

        var before = Bytes;
        for (var i = 0; i < _columnCount; i++)
        {
            AddValue(statement, i);
            if (Bytes > maxBytes && Rows > 0)
            {
                Undo(i);
                Bytes = before;
                return false;
            }
        }

        Rows++;
        return true;
    }

    /// <summary>The rows so far, as a message of its own.</summary>
    public RowBatch Take()
    {
        var batch = new RowBatch { RowCount = (uint)Rows };
        for (var i = 0; i < _columnCount && Rows > 0; i++)
        {
            var column = _columns[i];
            column.Types_ = Rows == 1 ? _singles[_types[i][0]] : ByteString.CopyFrom(_types[i], 0, Rows);
            batch.Columns.Add(column);
        }

        Clear();
        return batch;
    }

    /// <summary>Forgets rows that nobody wants any more.</summary>
    public void Clear()
    {
        Array.Clear(_columns);
        Rows = 0;
        Bytes = 0;
        if (_types.Length > 0 && _types[0].Length > 65536)
        {
            _types = [];
            _columns = []; // one large result is no reason to keep its memory
            _columnCount = 0;
        }
    }

    private void AddValue(nint statement, int column)
    {
        var data = _columns[column];
        switch (NativeMethods.fast_column_type(statement, column))
        {
            case SqliteCodes.TypeInteger:
                SetType(column, 1);
                var integer = NativeMethods.fast_column_int64(statement, column);
                data.Integers.Add(integer);
                Bytes += 1 + CodedOutputStream.ComputeSInt64Size(integer);
                break;
            case SqliteCodes.TypeFloat:
                SetType(column, 2);
                data.Reals.Add(NativeMethods.fast_column_double(statement, column));
                Bytes += 1 + sizeof(double);
                break;
            case SqliteCodes.TypeText:
                AddText(statement, column, data);
                break;
            case SqliteCodes.TypeBlob:
                SetType(column, 4);
                var start = NativeMethods.sqlite3_column_blob(statement, column);
                AddBlob(data, new ReadOnlySpan<byte>(start, NativeMethods.sqlite3_column_bytes(statement, column)));
                break;
            default:
                SetType(column, 0);
                Bytes++;
                break;
        }
    }

    private void AddText(nint statement, int column, ColumnData data)
    {
        var start = NativeMethods.sqlite3_column_text(statement, column);
        var text = new ReadOnlySpan<byte>(start, NativeMethods.sqlite3_column_bytes(statement, column));
        if (!Utf8.IsValid(text))
        {
            SetType(column, InvalidText);
            AddBlob(data, text); // as a string it would be changed, or refused by the other side
            return;
        }

        SetType(column, 3);
        data.Texts.Add(Encoding.UTF8.GetString(text));
        Bytes += 2 + CodedOutputStream.ComputeLengthSize(text.Length) + text.Length;
    }

    private void AddBlob(ColumnData data, ReadOnlySpan<byte> bytes)
    {
        data.Blobs.Add(ByteString.CopyFrom(bytes));
        Bytes += 2 + CodedOutputStream.ComputeLengthSize(bytes.Length) + bytes.Length;
    }

    private void SetType(int column, byte type)
    {
        var types = _types[column];
        if (Rows == types.Length)
        {
            Array.Resize(ref types, Rows * 2);
            _types[column] = types;
        }

        types[Rows] = type;
    }

    /// <summary>Takes back the values of a row whose columns up to this one had been added.</summary>
    private void Undo(int lastColumn)
    {
        for (var i = 0; i <= lastColumn; i++)
        {
            var data = _columns[i];
            switch (_types[i][Rows])
            {
                case 1:
                    data.Integers.RemoveAt(data.Integers.Count - 1);
                    break;
                case 2:
                    data.Reals.RemoveAt(data.Reals.Count - 1);
                    break;
                case 3:
                    data.Texts.RemoveAt(data.Texts.Count - 1);
                    break;
                case 4 or InvalidText:
                    data.Blobs.RemoveAt(data.Blobs.Count - 1);
                    break;
            }
        }
    }
}
