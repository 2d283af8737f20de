using System.Text.Unicode;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The stretch of a long SQL text that is in memory. It grows to the longest statement, and no further.</summary>
internal sealed class ScriptWindow(Stream source)
{
    private const int FirstBytes = 1 << 20;
    private const int MostBytes = 64 << 20; // of one statement; a value of 16 MiB takes twice that as a BLOB literal

    private byte[] _bytes = new byte[FirstBytes];
    private int _start; // what lies before was taken
    private int _end;
    private long _before; // bytes of the text before the buffer

    /// <summary>Nothing follows behind what is there.</summary>
    public bool IsEnd { get; private set; }

    /// <summary>Where what was not taken begins.</summary>
    public int Start => _start;

    /// <summary>The same, in bytes of the whole text.</summary>
    public long Position => _before + _start;

    /// <summary>What is there, as SQLite reads it. Valid until <see cref="Read"/>.</summary>
    public Utf8Sql Sql => new(_bytes, _end);

    /// <summary>Takes what lies before a place.</summary>
    /// <exception cref="RequestException">It is no UTF-8.</exception>
    public void TakeTo(int offset)
    {
        if (!Utf8.IsValid(_bytes.AsSpan(_start, offset - _start)))
        {
            throw SqlErrors.Invalid($"The SQL is not valid UTF-8: the statement that begins at byte {Position} holds other bytes. Nothing was imported; convert the file first.");
        }

        _start = offset;
    }

    /// <summary>Reads on, behind what is there.</summary>
    /// <exception cref="RequestException">A statement is longer than is taken, or the text holds a NUL.</exception>
    public void Read()
    {
        _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
        (_before, _end, _start) = (_before + _start, _end - _start, 0);
        if (_end > _bytes.Length / 2)
        {
            if (_bytes.Length >= MostBytes)
            {
                throw SqlErrors.At(ErrorCodes.SqliteTooBig, $"The statement that begins at byte {_before} is longer than {MostBytes >> 20} MiB. Nothing was imported.", -1);
            }

            Array.Resize(ref _bytes, _bytes.Length * 2);
        }

        while (!IsEnd && _end < _bytes.Length - 1) // a NUL goes behind it
        {
            var read = source.Read(_bytes.AsSpan(_end, _bytes.Length - 1 - _end));
            if (_bytes.AsSpan(_end, read).IndexOf((byte)0) is var nul and >= 0)
            {
                throw SqlErrors.Invalid($"The SQL has a NUL at byte {_before + _end + nul}. SQL text cannot hold one: the file is damaged, is a database image, or was written in UTF-16. Nothing was imported.");
            }

            _end += read;
            IsEnd = read == 0;
        }

        _bytes[_end] = 0;
    }
}
