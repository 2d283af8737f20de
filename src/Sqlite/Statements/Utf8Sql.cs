using System.Buffers;
using System.Text;

namespace ReplicatedSqlite.Sqlite;

/// <summary>SQL text in the bytes that SQLite reads, in a rented buffer or the caller's.</summary>
internal sealed class Utf8Sql : IDisposable
{
    private readonly bool _isBorrowed;

    /// <exception cref="Protocol.RequestException">It holds a NUL character.</exception>
    public Utf8Sql(string text, int statementIndex)
    {
        SqlText.CheckNoNul(text, statementIndex);
        Text = text;
        Bytes = ArrayPool<byte>.Shared.Rent(
            (text.Length <= 1024 ? Encoding.UTF8.GetMaxByteCount(text.Length) : Encoding.UTF8.GetByteCount(text)) + 1);
        Length = Encoding.UTF8.GetBytes(text, Bytes);
        Bytes[Length] = 0;
    }

    /// <summary>Text that lies in the caller's buffer already, without a NUL in it.</summary>
    /// <param name="bytes">The buffer, which stays the caller's; behind the SQL stands a NUL.</param>
    /// <param name="length">Bytes of SQL.</param>
    public Utf8Sql(byte[] bytes, int length)
    {
        Bytes = bytes;
        Length = length;
        _isBorrowed = true;
    }

    /// <summary>As it came; <see langword="null"/> of a buffer.</summary>
    public string? Text { get; }

    /// <summary>The buffer; behind the SQL stands a NUL.</summary>
    public byte[] Bytes { get; private set; }

    /// <summary>Bytes of SQL.</summary>
    public int Length { get; }

    /// <summary>
    /// Bytes from <paramref name="start"/> to the NUL and with it: given it, SQLite neither copies the text, which for a long script would be once for each
    /// statement, nor takes the rest of a script for a part of the statement when it looks at its length.
    /// </summary>
    public int LengthFrom(int start) => Length - start + 1;

    public void Dispose()
    {
        var bytes = Bytes;
        Bytes = [];
        if (bytes.Length > 0 && !_isBorrowed)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
