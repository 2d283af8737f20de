using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A prepared statement of our own SQL, kept for repeated use. Users' statements go through the statement cache.</summary>
public sealed unsafe class SqliteStatement : IDisposable
{
    private readonly SqliteConnection _connection;
    private nint _handle;

    internal SqliteStatement(SqliteConnection connection, nint handle)
    {
        _connection = connection;
        _handle = handle;
    }

    /// <summary>The <c>sqlite3_stmt*</c>.</summary>
    internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(SqliteStatement));

    /// <summary>Goes to the next row.</summary>
    /// <returns><see langword="false"/> at the end.</returns>
    public bool Step()
    {
        var code = NativeMethods.sqlite3_step(Handle);
        return code switch
        {
            SqliteCodes.Row => true,
            SqliteCodes.Done => false,
            _ => throw _connection.Error(code),
        };
    }

    /// <summary>Runs a statement that returns no rows, and makes it ready to run again.</summary>
    public void Run()
    {
        try
        {
            while (Step())
            {
            }
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Ready to run again. The last run's error was thrown by <see cref="Step"/> already.</summary>
    public void Reset() => _ = NativeMethods.sqlite3_reset(Handle);

    /// <summary>Binds an integer; the first parameter is 1.</summary>
    public void Bind(int index, long value) => _connection.Check(NativeMethods.sqlite3_bind_int64(Handle, index, value));

    /// <summary>Binds bytes that SQLite copies; none are an empty blob, not NULL.</summary>
    public void Bind(int index, ReadOnlySpan<byte> blob)
    {
        byte empty = 0;
        fixed (byte* start = blob)
        {
            // A null pointer, which an empty span has, would bind NULL.
            _connection.Check(NativeMethods.sqlite3_bind_blob64(Handle, index, start == null ? &empty : start, (ulong)blob.Length, -1));
        }
    }

    /// <summary>Binds text that SQLite copies; an empty one is not NULL.</summary>
    public void BindText(int index, string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text + "\0"); // never empty: an empty text has a pointer too
        fixed (byte* start = bytes)
        {
            _connection.Check(NativeMethods.sqlite3_bind_text64(Handle, index, start, (ulong)(bytes.Length - 1), -1, 1));
        }
    }

    /// <summary>A column of the row; the first is 0.</summary>
    public long GetInteger(int column) => NativeMethods.sqlite3_column_int64(Handle, column);

    /// <summary>A column of the row as a real.</summary>
    public double GetReal(int column) => NativeMethods.fast_column_double(Handle, column);

    /// <summary>A column of the row as text, <see langword="null"/> for NULL.</summary>
    public string? GetText(int column) => Marshal.PtrToStringUTF8((nint)NativeMethods.sqlite3_column_text(Handle, column));

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> GetBlob(int column)
    {
        var start = NativeMethods.sqlite3_column_blob(Handle, column);
        return new ReadOnlySpan<byte>(start, NativeMethods.sqlite3_column_bytes(Handle, column));
    }

    /// <summary>Finalizes the statement.</summary>
    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = NativeMethods.sqlite3_finalize(_handle);
            _handle = 0;
        }
    }
}
