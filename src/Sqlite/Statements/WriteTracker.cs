using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>
/// Keeps <c>last_insert_rowid()</c>, <c>changes()</c> and <c>total_changes()</c> of a shared connection to one request, and tells what row each
/// statement inserted.
/// </summary>
internal sealed unsafe class WriteTracker : IDisposable
{
    // No row that anybody inserts by chance. Set before an insert, it tells whether there was one.
    private const long NoRowId = long.MinValue + 0x5eed_0b5e;

    private readonly SqliteConnection _connection;
    private readonly bool _isWriter;
    private readonly GCHandle _selfHandle;
    private SqliteStatement? _resetChanges;
    private long _totalChangesBefore; // at the start of the request
    private bool _changedRows; // this request ran a statement that sets changes()

    public WriteTracker(SqliteConnection connection, bool isWriter)
    {
        _connection = connection;
        _isWriter = isWriter;
        _selfHandle = GCHandle.Alloc(this, GCHandleType.Weak);
        ReplaceTotalChanges();
    }

    /// <summary>A request begins: nothing of an earlier one can be seen.</summary>
    public void BeginRequest()
    {
        _totalChangesBefore = NativeMethods.fast_total_changes64(_connection.Handle);
        NativeMethods.fast_set_last_insert_rowid(_connection.Handle, 0);
        _changedRows = false;
    }

    /// <summary>What to do before a statement runs that is not read-only.</summary>
    /// <returns>The value of <c>last_insert_rowid()</c> before it.</returns>
    public long Prepare(StatementTraits traits)
    {
        var lastRowId = NativeMethods.fast_last_insert_rowid(_connection.Handle);
        if ((traits & (StatementTraits.Inserts | StatementTraits.UsesLastRowId)) == StatementTraits.Inserts)
        {
            NativeMethods.fast_set_last_insert_rowid(_connection.Handle, NoRowId);
        }

        return lastRowId;
    }

    /// <summary>The row that the statement inserted, 0 for none.</summary>
    public long Finish(StatementTraits traits, long lastRowIdBefore)
    {
        _changedRows |= SetsChanges(traits);
        if ((traits & StatementTraits.Inserts) == 0)
        {
            return 0;
        }

        var now = NativeMethods.fast_last_insert_rowid(_connection.Handle);
        if ((traits & StatementTraits.UsesLastRowId) != 0)
        {
            // It had to see the true value, so an insert of the same number cannot be told from none by the number alone.
            return now != lastRowIdBefore || NativeMethods.fast_changes64(_connection.Handle) > 0 ? now : 0;
        }

        if (now != NoRowId)
        {
            return now;
        }

        NativeMethods.fast_set_last_insert_rowid(_connection.Handle, lastRowIdBefore);
        return 0;
    }

    /// <summary>A statement that writes has failed.</summary>
    public void Abort(StatementTraits traits, long lastRowIdBefore)
    {
        _changedRows |= SetsChanges(traits);
        if ((traits & StatementTraits.Inserts) != 0)
        {
            NativeMethods.fast_set_last_insert_rowid(_connection.Handle, lastRowIdBefore);
        }
    }

    /// <summary>Sets <c>changes()</c> to 0 if it is still that of an earlier request.</summary>
    public void HideChanges()
    {
        if (_changedRows || !_isWriter)
        {
            return;
        }

        // SQLite has no function for it. This changes no row and needs no table; in the group's transaction it takes no lock either.
        _resetChanges ??= _connection.Prepare("UPDATE sqlite_dbpage SET data=data WHERE 0");
        _resetChanges.Run();

        _changedRows = true;
    }

    /// <summary>Nothing runs on the connection any more; it is about to be closed.</summary>
    public void Dispose()
    {
        if (_selfHandle.IsAllocated)
        {
            _resetChanges?.Dispose();
            _selfHandle.Free();
        }
    }

    /// <summary>Whether a statement that writes sets <c>changes()</c>: INSERT, UPDATE and DELETE do.</summary>
    private static bool SetsChanges(StatementTraits traits) => (traits & (StatementTraits.Schema | StatementTraits.Pragma | StatementTraits.Vacuum)) == 0;

    /// <summary>Puts a <c>total_changes()</c> in the place of SQLite's that counts from the start of the request.</summary>
    private void ReplaceTotalChanges()
    {
        const int Utf8 = 1;
        const int Innocuous = 0x200000; // may be used in views and triggers, as the original
        fixed (byte* name = "total_changes\0"u8)
        {
            _connection.Check(NativeMethods.sqlite3_create_function_v2(
                _connection.Handle, name, 0, Utf8 | Innocuous, GCHandle.ToIntPtr(_selfHandle), &TotalChanges, 0, 0, 0));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void TotalChanges(nint context, int arguments, nint* values)
    {
        var tracker = (WriteTracker)GCHandle.FromIntPtr(NativeMethods.sqlite3_user_data(context)).Target!;
        var total = NativeMethods.sqlite3_total_changes64(tracker._connection.Handle);
        NativeMethods.sqlite3_result_int64(context, total - tracker._totalChangesBefore);
    }
}
