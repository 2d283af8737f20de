using System.Buffers;
using System.Text;

namespace ReplicatedSqlite.Sqlite;

/// <summary>SQL text in the bytes that SQLite reads, in a rented buffer.</summary>
internal sealed class Utf8Sql : IDisposable
{
    /// <exception cref="Protocol.RequestException">It holds a NUL character.</exception>
    public Utf8Sql(string text, int statementIndex)
    {
        SqlText.CheckNoNul(text, statementIndex);
        Text = text;
        Bytes = ArrayPool<byte>.Shared.Rent(
            text.Length <= 1024 ? Encoding.UTF8.GetMaxByteCount(text.Length) : Encoding.UTF8.GetByteCount(text));
        Length = Encoding.UTF8.GetBytes(text, Bytes);
    }

    /// <summary>As it came.</summary>
    public string Text { get; }

    /// <summary>The buffer; longer than <see cref="Length"/>.</summary>
    public byte[] Bytes { get; private set; }

    /// <summary>Bytes of SQL.</summary>
    public int Length { get; }

    public void Dispose()
    {
        var bytes = Bytes;
        Bytes = [];
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
