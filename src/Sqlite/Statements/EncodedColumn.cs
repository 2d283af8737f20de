using System.Buffers.Binary;
using System.Text.Unicode;

namespace ReplicatedSqlite.Sqlite;

/// <summary>One column of a batch as the bytes of a <c>ColumnData</c>: a vector a type of value.</summary>
internal sealed unsafe class EncodedColumn
{
    private const byte TypesTag = 0x0a; // field 1 of ColumnData, length-delimited; 2 to 5 follow
    private const byte IntegersTag = 0x12;
    private const byte RealsTag = 0x1a;
    private const byte TextsTag = 0x22;
    private const byte BlobsTag = 0x2a;
    private const byte InvalidText = 5;
    private const int ShortBytes = 4096; // a value up to here is fetched without the runtime's transition: SQLite copies little, if anything

    private readonly ByteBuffer _types = new();
    private readonly ByteBuffer _integers = new();
    private readonly ByteBuffer _reals = new();
    private readonly ByteBuffer _texts = new();
    private readonly ByteBuffer _blobs = new();

    /// <summary>What it takes on the wire so far, tags and lengths left out.</summary>
    public int ValueBytes => _types.Length + _integers.Length + _reals.Length + _texts.Length + _blobs.Length;

    /// <summary>Exactly what <see cref="WriteTo"/> writes.</summary>
    public int EncodedBytes => VectorBytes(_types) + VectorBytes(_integers) + VectorBytes(_reals) + _texts.Length + _blobs.Length;

    /// <summary>Adds the value of the row that a statement stands on.</summary>
    public void Add(nint statement, int column)
    {
        switch (NativeMethods.fast_column_type(statement, column))
        {
            case SqliteCodes.TypeInteger:
                _types.Append(1);
                var integer = NativeMethods.fast_column_int64(statement, column);
                _integers.AppendVarint((ulong)((integer << 1) ^ (integer >> 63)));
                break;
            case SqliteCodes.TypeFloat:
                _types.Append(2);
                BinaryPrimitives.WriteDoubleLittleEndian(_reals.Extend(sizeof(double)), NativeMethods.fast_column_double(statement, column));
                break;
            case SqliteCodes.TypeText:
                AddText(Text(statement, column));
                break;
            case SqliteCodes.TypeBlob:
                _types.Append(4);
                var start = NativeMethods.sqlite3_column_blob(statement, column);
                AddBytes(_blobs, BlobsTag, new ReadOnlySpan<byte>(start, NativeMethods.fast_column_bytes(statement, column)));
                break;
            default:
                _types.Append(0);
                break;
        }
    }

    /// <summary>A row begins: <see cref="Undo"/> goes back to here.</summary>
    public void Mark()
    {
        _types.Mark();
        _integers.Mark();
        _reals.Mark();
        _texts.Mark();
        _blobs.Mark();
    }

    /// <summary>Takes back what was added since the mark.</summary>
    public void Undo()
    {
        _types.Undo();
        _integers.Undo();
        _reals.Undo();
        _texts.Undo();
        _blobs.Undo();
    }

    /// <summary>Writes the column and forgets it.</summary>
    /// <returns>What is left of the room.</returns>
    public Span<byte> WriteTo(Span<byte> room)
    {
        room = WriteVector(_types, TypesTag, room);
        room = WriteVector(_integers, IntegersTag, room);
        room = WriteVector(_reals, RealsTag, room);
        room = Write(_texts.Written, room); // each text has its tag already
        room = Write(_blobs.Written, room);
        Clear();
        return room;
    }

    public void Clear()
    {
        _types.Clear();
        _integers.Clear();
        _reals.Clear();
        _texts.Clear();
        _blobs.Clear();
    }

    private void AddText(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            _types.Append(3);
            AddBytes(_texts, TextsTag, text);
        }
        else
        {
            _types.Append(InvalidText); // as a string it would be changed, or refused by the other side
            AddBytes(_blobs, BlobsTag, text);
        }
    }

    private static ReadOnlySpan<byte> Text(nint statement, int column)
    {
        var length = NativeMethods.fast_column_bytes(statement, column);
        var start = length <= ShortBytes ? NativeMethods.fast_column_text(statement, column) : NativeMethods.sqlite3_column_text(statement, column);
        return new ReadOnlySpan<byte>(start, length);
    }

    private static void AddBytes(ByteBuffer vector, byte tag, ReadOnlySpan<byte> bytes)
    {
        vector.Append(tag);
        vector.AppendVarint((ulong)bytes.Length);
        bytes.CopyTo(vector.Extend(bytes.Length));
    }

    private static int VectorBytes(ByteBuffer vector) => vector.Length == 0 ? 0 : 1 + ByteBuffer.VarintBytes((ulong)vector.Length) + vector.Length;

    private static Span<byte> WriteVector(ByteBuffer vector, byte tag, Span<byte> room)
    {
        if (vector.Length == 0)
        {
            return room;
        }

        room[0] = tag;
        room = room[(1 + ByteBuffer.WriteVarint(room[1..], (ulong)vector.Length))..];
        return Write(vector.Written, room);
    }

    private static Span<byte> Write(ReadOnlySpan<byte> bytes, Span<byte> room)
    {
        bytes.CopyTo(room);
        return room[bytes.Length..];
    }
}
