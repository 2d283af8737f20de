using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Writes SQL text in UTF-8: names, and values as literals that bring back exactly what they stand for.</summary>
internal sealed unsafe class DumpWriter(Stream target) : IDisposable
{
    private const int FlushBytes = 256 * 1024;
    private const int NumberBytes = 64; // of any number as a literal

    private byte[] _bytes = new byte[FlushBytes * 2];
    private int _used;

    public DumpWriter Raw(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Take(text.Length));
        return this;
    }

    public DumpWriter Raw(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Encoding.UTF8.GetBytes(text, Take(length));
        return this;
    }

    /// <summary>A name in double quotes.</summary>
    public DumpWriter Name(string name) => Raw($"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");

    /// <summary>The value of a column of the row that a statement stands on.</summary>
    public void Value(nint statement, int column)
    {
        switch (NativeMethods.fast_column_type(statement, column))
        {
            case SqliteCodes.TypeInteger:
                Utf8Formatter.TryFormat(NativeMethods.fast_column_int64(statement, column), Room(NumberBytes), out var digits);
                _used += digits;
                break;
            case SqliteCodes.TypeFloat:
                Real(NativeMethods.fast_column_double(statement, column));
                break;
            case SqliteCodes.TypeText:
                var text = NativeMethods.sqlite3_column_text(statement, column);
                Text(new ReadOnlySpan<byte>(text, NativeMethods.sqlite3_column_bytes(statement, column)));
                break;
            case SqliteCodes.TypeBlob:
                var blob = NativeMethods.sqlite3_column_blob(statement, column);
                Blob(new ReadOnlySpan<byte>(blob, NativeMethods.sqlite3_column_bytes(statement, column)));
                break;
            default:
                Raw("NULL"u8);
                break;
        }
    }

    /// <summary>Ends a statement. The only place where what was written may leave, so that a text is gathered whole.</summary>
    public void End()
    {
        Raw(";\n"u8);
        if (_used >= FlushBytes)
        {
            Flush();
        }
    }

    /// <summary>Hands over what is left.</summary>
    public void Dispose() => Flush();

    private void Flush()
    {
        target.Write(_bytes, 0, _used);
        _used = 0;
    }

    private void Real(double value)
    {
        if (!double.IsFinite(value))
        {
            Raw(value > 0 ? "9.0e+999"u8 : "-9.0e+999"u8);
            return;
        }

        var text = value.ToString("R", CultureInfo.InvariantCulture);
        Raw(text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text); // else it would be an integer
    }

    // What a text literal cannot hold goes by its bytes.
    private void Text(ReadOnlySpan<byte> text)
    {
        if (text.Contains((byte)0) || !Utf8.IsValid(text))
        {
            Raw("CAST("u8);
            Blob(text);
            Raw(" AS TEXT)"u8);
            return;
        }

        Raw("'"u8);
        while (text.IndexOf((byte)'\'') is var quote and >= 0)
        {
            Raw(text[..(quote + 1)]).Raw("'"u8);
            text = text[(quote + 1)..];
        }

        Raw(text).Raw("'"u8);
    }

    private void Blob(ReadOnlySpan<byte> blob)
    {
        Raw("X'"u8);
        var digits = Take(blob.Length * 2);
        for (var i = 0; i < blob.Length; i++)
        {
            digits[2 * i] = Digit(blob[i] >> 4);
            digits[(2 * i) + 1] = Digit(blob[i] & 0xf);
        }

        Raw("'"u8);
    }

    private static byte Digit(int value) => (byte)(value < 10 ? '0' + value : 'A' + value - 10);

    private Span<byte> Take(int length)
    {
        var room = Room(length);
        _used += length;
        return room[..length];
    }

    private Span<byte> Room(int length)
    {
        if (_bytes.Length - _used < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + length));
        }

        return _bytes.AsSpan(_used);
    }
}
