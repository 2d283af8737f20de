using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The C functions that the engine calls. Names are SQLite's own, without the prefix's underscore rules of .NET.</summary>
/// <remarks>Source: SQLite C interface. Handles are plain pointers; <see cref="SqliteConnection"/> and <see cref="SqliteStatement"/> own them.</remarks>
internal static unsafe partial class NativeMethods
{
    private const string Library = "e_sqlite3";

    static NativeMethods() => NativeLibraryResolver.Register();

    [LibraryImport(Library)] internal static partial byte* sqlite3_libversion();
    [LibraryImport(Library)] internal static partial int sqlite3_libversion_number();
    [LibraryImport(Library)] internal static partial int sqlite3_threadsafe();
    [LibraryImport(Library)] internal static partial int sqlite3_initialize();
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int sqlite3_compileoption_used(string name);
    [LibraryImport(Library)] internal static partial void sqlite3_free(nint memory);
    [LibraryImport(Library)] internal static partial void sqlite3_randomness(int bytes, out ulong into);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sqlite3_open_v2(string filename, out nint db, int flags, nint vfs);
    [LibraryImport(Library)] internal static partial int sqlite3_close_v2(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_extended_result_codes(nint db, int on);
    [LibraryImport(Library)] internal static partial int sqlite3_errcode(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_extended_errcode(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_error_offset(nint db);
    [LibraryImport(Library)] internal static partial byte* sqlite3_errmsg(nint db);
    [LibraryImport(Library)] internal static partial byte* sqlite3_errstr(int code);
    [LibraryImport(Library)] internal static partial int sqlite3_busy_timeout(nint db, int milliseconds);
    [LibraryImport(Library)] internal static partial void sqlite3_interrupt(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_is_interrupted(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_get_autocommit(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_txn_state(nint db, nint schema);
    [LibraryImport(Library)] internal static partial long sqlite3_last_insert_rowid(nint db);
    [LibraryImport(Library)] internal static partial void sqlite3_set_last_insert_rowid(nint db, long rowid);
    [LibraryImport(Library)] internal static partial long sqlite3_changes64(nint db);
    [LibraryImport(Library)] internal static partial long sqlite3_total_changes64(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_limit(nint db, int id, int value);
    [LibraryImport(Library)] internal static partial int sqlite3_db_status(nint db, int op, out int current, out int highest, int reset);
    [LibraryImport(Library)] internal static partial int sqlite3_db_cacheflush(nint db);
    [LibraryImport(Library)] internal static partial int sqlite3_db_release_memory(nint db);
    [LibraryImport(Library)] internal static partial nint sqlite3_next_stmt(nint db, nint statement);
    // Variadic in C; on the platforms that we build for, a declaration with the actual arguments is called the same way.
    [LibraryImport(Library)] internal static partial int sqlite3_db_config(nint db, int op, int value, int* result);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sqlite3_file_control(nint db, string? schema, int op, void* argument);
    [LibraryImport(Library)] internal static partial int sqlite3_wal_autocheckpoint(nint db, int frames);
    [LibraryImport(Library)]
    internal static partial nint sqlite3_wal_hook(nint db, delegate* unmanaged[Cdecl]<nint, nint, byte*, int, int> callback, nint context);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sqlite3_wal_checkpoint_v2(nint db, string? schema, int mode, out int framesInWal, out int framesCheckpointed);
    [LibraryImport(Library)]
    internal static partial int sqlite3_set_authorizer(nint db, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, byte*, byte*, int> callback, nint context);
    [LibraryImport(Library)]
    internal static partial void sqlite3_progress_handler(nint db, int instructions, delegate* unmanaged[Cdecl]<nint, int> callback, nint context);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int sqlite3_snapshot_get(nint db, string schema, out nint snapshot);
    [LibraryImport(Library)] internal static partial void sqlite3_snapshot_free(nint snapshot);
    [LibraryImport(Library)] internal static partial int sqlite3_snapshot_open(nint db, byte* schema, byte* snapshot);

    [LibraryImport(Library)]
    internal static partial int sqlite3_prepare_v3(nint db, byte* sql, int bytes, uint flags, out nint statement, out byte* tail);
    [LibraryImport(Library)] internal static partial int sqlite3_step(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_reset(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_clear_bindings(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_finalize(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_stmt_readonly(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_stmt_isexplain(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_stmt_busy(nint statement);
    [LibraryImport(Library)] internal static partial int sqlite3_stmt_status(nint statement, int op, int reset);
    [LibraryImport(Library)] internal static partial byte* sqlite3_sql(nint statement);
    [LibraryImport(Library)] internal static partial nint sqlite3_db_handle(nint statement);

    [LibraryImport(Library)] internal static partial int sqlite3_bind_parameter_count(nint statement);
    [LibraryImport(Library)] internal static partial byte* sqlite3_bind_parameter_name(nint statement, int index);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int sqlite3_bind_parameter_index(nint statement, string name);
    [LibraryImport(Library)] internal static partial int sqlite3_bind_null(nint statement, int index);
    [LibraryImport(Library)] internal static partial int sqlite3_bind_int64(nint statement, int index, long value);
    [LibraryImport(Library)] internal static partial int sqlite3_bind_double(nint statement, int index, double value);
    [LibraryImport(Library)] internal static partial int sqlite3_bind_text64(nint statement, int index, byte* text, ulong bytes, nint destructor, byte encoding);
    [LibraryImport(Library)] internal static partial int sqlite3_bind_blob64(nint statement, int index, byte* blob, ulong bytes, nint destructor);

    [LibraryImport(Library)] internal static partial int sqlite3_column_count(nint statement);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_name(nint statement, int column);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_decltype(nint statement, int column);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_database_name(nint statement, int column);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_table_name(nint statement, int column);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_origin_name(nint statement, int column);
    [LibraryImport(Library)] internal static partial int sqlite3_column_type(nint statement, int column);
    [LibraryImport(Library)] internal static partial long sqlite3_column_int64(nint statement, int column);
    [LibraryImport(Library)] internal static partial double sqlite3_column_double(nint statement, int column);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_text(nint statement, int column);
    [LibraryImport(Library)] internal static partial byte* sqlite3_column_blob(nint statement, int column);
    [LibraryImport(Library)] internal static partial int sqlite3_column_bytes(nint statement, int column);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sqlite3_table_column_metadata(
        nint db, string? schema, string table, string column, out byte* type, out byte* collation, out int notNull, out int primaryKey, out int autoIncrement);
}
