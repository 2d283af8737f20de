using System.Runtime.InteropServices;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A user's prepared statement, and what is known of it.</summary>
/// <remarks>Belongs to one <see cref="QueryConnection"/>; used by one run at a time.</remarks>
internal sealed unsafe class PreparedSql(QueryConnection connection, nint handle, string? cacheKey, int offset, StatementTraits traits)
{
    private string?[]? _parameters;
    private ColumnInfo[]? _columns;
    private int _columnsFromPrepare; // how often SQLite had prepared it again when the columns were described

    /// <summary>The <c>sqlite3_stmt*</c>.</summary>
    public nint Handle { get; private set; } = handle;

    /// <summary>The text under which it is cached; <see langword="null"/> for a part of a script.</summary>
    public string? CacheKey { get; } = cacheKey;

    /// <summary>Where it starts, in bytes of the SQL as sent. Errors' offsets are counted from there.</summary>
    public int Offset { get; } = offset;

    /// <summary>What the authorizer saw.</summary>
    public StatementTraits Traits { get; } = traits;

    /// <summary>Whether it leaves the database as it is.</summary>
    public bool IsReadOnly { get; } = IsRead(handle, traits);

    /// <summary>Some run holds it.</summary>
    public bool InUse { get; set; }

    /// <summary>The cache let it go while it was in use.</summary>
    public bool Evicted { get; set; }

    /// <summary>It was bound or stepped since the last reset.</summary>
    public bool IsDirty { get; set; }

    /// <summary>What <see cref="Columns"/> take on the wire.</summary>
    public int ColumnsBytes { get; private set; }

    /// <summary>Bytes of SQL, as a measure of what it occupies.</summary>
    public int SqlBytes => CacheKey?.Length ?? 0;

    /// <summary>A name with its prefix for each parameter, <see langword="null"/> for <c>?</c> and for a number that is not used.</summary>
    public string?[] Parameters => _parameters ??= ReadParameters();

    /// <summary>The columns. After the first step, since SQLite may prepare again there.</summary>
    public ColumnInfo[] Columns
    {
        get
        {
            var prepared = NativeMethods.fast_stmt_status(Handle, SqliteCodes.StatementStatusReprepare, 0);
            if (_columns == null || prepared != _columnsFromPrepare)
            {
                _columns = ColumnDescriber.Describe(connection.Connection.Handle, Handle);
                _columnsFromPrepare = prepared;
                ColumnsBytes = _columns.Sum(column => column.CalculateSize() + 4);
            }

            return _columns;
        }
    }

    /// <summary>Ready to run again. The last run's error was thrown already.</summary>
    public void Reset()
    {
        if (!IsDirty)
        {
            return;
        }

        IsDirty = false;
        _ = NativeMethods.sqlite3_reset(Handle);
        if (Parameters.Length > 0)
        {
            _ = NativeMethods.sqlite3_clear_bindings(Handle); // one client's values are not kept in memory for the next
        }
    }

    /// <summary>The end of it.</summary>
    public void Free()
    {
        if (Handle != 0)
        {
            _ = NativeMethods.sqlite3_finalize(Handle);
            Handle = 0;
        }
    }

    private static bool IsRead(nint handle, StatementTraits traits)
    {
        // EXPLAIN reads, whatever it explains; pragmas are classified by the policy, since SQLite counts journal_mode as a write and optimize as a read.
        // A DROP TRIGGER IF EXISTS that finds none, or a CREATE TRIGGER IF NOT EXISTS that finds one, is a read for SQLite, and a write when the schema
        // has moved on before it runs.
        return NativeMethods.sqlite3_stmt_isexplain(handle) != 0
            || ((traits & (StatementTraits.PragmaWrites | StatementTraits.Schema)) == 0
                && ((traits & (StatementTraits.PragmaReads | StatementTraits.PragmaSets)) != 0 || NativeMethods.sqlite3_stmt_readonly(handle) != 0));
    }

    private string?[] ReadParameters()
    {
        var count = NativeMethods.sqlite3_bind_parameter_count(Handle);
        if (count == 0)
        {
            return [];
        }

        var names = new string?[count];
        for (var i = 0; i < count; i++)
        {
            names[i] = Marshal.PtrToStringUTF8((nint)NativeMethods.sqlite3_bind_parameter_name(Handle, i + 1));
        }

        return names;
    }
}
