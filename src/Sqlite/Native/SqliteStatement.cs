using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A prepared statement of our own SQL, kept for repeated use. Users' statements go through the statement cache.</summary>
internal sealed unsafe class SqliteStatement(SqliteConnection connection, nint handle) : IDisposable
{
    private nint _handle = handle;

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
            _ => throw connection.Error(code),
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

    public void Bind(int index, long value) => connection.Check(NativeMethods.sqlite3_bind_int64(Handle, index, value));

    /// <summary>Binds bytes that SQLite copies.</summary>
    public void Bind(int index, ReadOnlySpan<byte> blob)
    {
        fixed (byte* start = blob)
        {
            connection.Check(NativeMethods.sqlite3_bind_blob64(Handle, index, start, (ulong)blob.Length, -1));
        }
    }

    public long GetInteger(int column) => NativeMethods.sqlite3_column_int64(Handle, column);

    public string? GetText(int column) => Marshal.PtrToStringUTF8((nint)NativeMethods.sqlite3_column_text(Handle, column));

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> GetBlob(int column)
    {
        var start = NativeMethods.sqlite3_column_blob(Handle, column);
        return new ReadOnlySpan<byte>(start, NativeMethods.sqlite3_column_bytes(Handle, column));
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = NativeMethods.sqlite3_finalize(_handle);
            _handle = 0;
        }
    }
}
