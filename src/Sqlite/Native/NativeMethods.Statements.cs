using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>What running users' statements needs.</summary>
/// <remarks>
/// The <c>fast_</c> ones are SQLite functions of a few instructions that neither block nor call back: without the runtime's transition they cost a
/// tenth. Never add one that can run SQL.
/// </remarks>
internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "sqlite3_file_control")] internal static partial int sqlite3_file_control_bytes(nint db, byte* schema, int op, void* argument);
    [LibraryImport(Library)]
    internal static partial int sqlite3_create_function_v2(
        nint db, byte* name, int arguments, int flags, nint context, delegate* unmanaged[Cdecl]<nint, int, nint*, void> function, nint step, nint final, nint destroy);
    [LibraryImport(Library)] internal static partial nint sqlite3_user_data(nint context);
    [LibraryImport(Library)] internal static partial void sqlite3_result_int64(nint context, long value);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_type")] internal static partial int fast_column_type(nint statement, int column);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_int64")] internal static partial long fast_column_int64(nint statement, int column);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_double")] internal static partial double fast_column_double(nint statement, int column);
    // Of a text of a few KB at most: SQLite may copy it to put a zero behind it.
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_text")] internal static partial byte* fast_column_text(nint statement, int column);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes")] internal static partial int fast_column_bytes(nint statement, int column);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_count")] internal static partial int fast_column_count(nint statement);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_null")] internal static partial int fast_bind_null(nint statement, int index);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_int64")] internal static partial int fast_bind_int64(nint statement, int index, long value);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_double")] internal static partial int fast_bind_double(nint statement, int index, double value);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_stmt_status")] internal static partial int fast_stmt_status(nint statement, int op, int reset);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_get_autocommit")] internal static partial int fast_get_autocommit(nint db);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_total_changes64")] internal static partial long fast_total_changes64(nint db);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_changes64")] internal static partial long fast_changes64(nint db);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_last_insert_rowid")] internal static partial long fast_last_insert_rowid(nint db);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_set_last_insert_rowid")] internal static partial void fast_set_last_insert_rowid(nint db, long rowid);
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_db_status")] internal static partial int fast_db_status(nint db, int op, int* current, int* highest, int reset);

    // Of native/0001-row-counters.patch: absent in other builds. Call it through RowCounts only.
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_stmt_row_counts")] internal static partial int fast_stmt_row_counts(nint statement, long* read, long* written, int reset);
}
