using System.Runtime.InteropServices;
using System.Text;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Names, declared types and origins of a statement's columns.</summary>
internal static unsafe class ColumnDescriber
{
    /// <summary>Describes a prepared statement. The messages are shared between results: nobody may change them.</summary>
    public static ColumnInfo[] Describe(nint db, nint statement)
    {
        var columns = new ColumnInfo[NativeMethods.sqlite3_column_count(statement)];
        for (var i = 0; i < columns.Length; i++)
        {
            var column = new ColumnInfo
            {
                Name = Text(NativeMethods.sqlite3_column_name(statement, i)),
                DeclaredType = Text(NativeMethods.sqlite3_column_decltype(statement, i)),
                OriginTable = Text(NativeMethods.sqlite3_column_table_name(statement, i)),
                OriginColumn = Text(NativeMethods.sqlite3_column_origin_name(statement, i)),
            };
            if (column.OriginTable.Length > 0)
            {
                var schema = Text(NativeMethods.sqlite3_column_database_name(statement, i));
                var code = NativeMethods.sqlite3_table_column_metadata(
                    db, schema, column.OriginTable, column.OriginColumn, out _, out _, out var notNull, out var primaryKey, out var autoIncrement);
                if (code == SqliteCodes.Ok) // else an origin that is no table's, as in some virtual tables
                {
                    column.NotNull = notNull != 0;
                    column.PrimaryKey = primaryKey != 0;
                    column.Autoincrement = autoIncrement != 0;
                }
            }

            columns[i] = column;
        }

        return columns;
    }

    // A name may hold bytes that are no UTF-8; they become the replacement character, as the contract's text must be valid.
    private static string Text(byte* text) => text == null ? "" : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
