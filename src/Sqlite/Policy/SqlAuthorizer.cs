using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Whose SQL is being prepared or run.</summary>
internal enum SqlAuthority
{
    /// <summary>A user's: the policy decides.</summary>
    User,

    /// <summary>The engine's own.</summary>
    Owner,

    /// <summary>A look whether there is any SQL at all: nothing may take effect.</summary>
    Probe,

    /// <summary>The statements inside a VACUUM, which attaches a temporary file.</summary>
    Vacuum,
}

/// <summary>SQLite's authorizer of one connection: applies a <see cref="SqlPolicy"/> and notes what a statement is.</summary>
/// <remarks>Called by SQLite while it prepares, also when it prepares again during a step. One thread at a time, as its connection.</remarks>
internal sealed unsafe class SqlAuthorizer(SqlPolicy policy)
{
    private const int Allow = 0;
    private const int Deny = 1;
    private const int Ignore = 2;

    private const string TransactionText =
        "BEGIN, COMMIT, END and ROLLBACK are not taken as SQL: every request is one transaction already. " +
        "Send the statements together in one request, or use an interactive transaction (Transact).";

    private const string RollbackText = "the SQL rolls back what it did: it was made by a dump that failed. Nothing was imported.";

    private const string SavepointText =
        "SAVEPOINT, RELEASE and ROLLBACK TO are only for interactive transactions (Transact). Every other request is one transaction already.";

    private const string AttachText = "ATTACH and DETACH are not allowed: a connection serves one database. Open a connection to the other one.";

    private bool? _foreignKeys;

    private const string VacuumIntoText = "VACUUM INTO is not allowed: it writes a file on the server. Use an export or a backup.";

    /// <summary>What users' SQL may do. Statements prepared under another policy must be gone when it changes.</summary>
    public SqlPolicy Policy { get; set; } = policy;

    /// <summary>Whose SQL comes next. The engine's own, but for the moments in which a user's statement is prepared or runs.</summary>
    public SqlAuthority Authority { get; set; } = SqlAuthority.Owner;

    /// <summary>In an interactive transaction users may have savepoints.</summary>
    public bool AllowSavepoints { get; set; }

    /// <summary>A user's statement is being prepared. Otherwise what arrives comes from inside a running one.</summary>
    public bool Preparing { get; set; }

    /// <summary>Gathered since it was last cleared.</summary>
    public StatementTraits Traits { get; set; }

    /// <summary>The pragmas that were changed since the last reset, and must be set back.</summary>
    public HashSet<PragmaRule> Changed { get; } = [];

    /// <summary>What the last <c>PRAGMA foreign_keys = …</c> asked for, once; <see langword="null"/> if there was none.</summary>
    public bool? TakeForeignKeys()
    {
        var wanted = _foreignKeys;
        _foreignKeys = null;
        return wanted;
    }

    /// <summary>Why the last refusal was made, in words for the user.</summary>
    public string? Denial { get; set; }

    /// <summary>The function for <c>sqlite3_set_authorizer</c>; its context is a <see cref="GCHandle"/> of the authorizer.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Callback(nint context, int action, byte* first, byte* second, byte* schema, byte* trigger)
    {
        try
        {
            return ((SqlAuthorizer)GCHandle.FromIntPtr(context).Target!).Decide((AuthorizerAction)action, first, second, schema, trigger);
        }
#pragma warning disable CA1031 // Nothing may be thrown into SQLite; a refusal is the safe answer.
        catch (Exception)
#pragma warning restore CA1031
        {
            return Deny;
        }
    }

    private int Decide(AuthorizerAction action, byte* first, byte* second, byte* schema, byte* trigger)
    {
        switch (Authority)
        {
            case SqlAuthority.Owner:
                return Allow;
            case SqlAuthority.Probe:
                return Deny;
            case SqlAuthority.Vacuum:
                // An empty file name is VACUUM's own temporary file.
                return action == AuthorizerAction.Attach && first != null && *first != 0 ? Refuse(VacuumIntoText) : Allow;
        }

        switch (action)
        {
            case AuthorizerAction.Select or AuthorizerAction.Recursive:
                return Allow;
            case AuthorizerAction.Read:
                return CheckRows(first);
            case AuthorizerAction.Insert or AuthorizerAction.Update or AuthorizerAction.Delete:
                return Write(action, first, schema, trigger);
            case AuthorizerAction.Function:
                return Function(second);
            case AuthorizerAction.Pragma:
                return Pragma(Text(first), second == null ? null : Text(second), schema);
            case AuthorizerAction.Transaction:
                return !Policy.IgnoresTransactions ? Refuse(TransactionText) : StartsWith(first, "ROLLBACK"u8) ? Refuse(RollbackText) : Ignore;
            case AuthorizerAction.Savepoint:
                Traits |= StatementTraits.Savepoint;
                return !AllowSavepoints ? Refuse(SavepointText) : IsReserved(second) ? RefuseName(second) : Allow;
            case AuthorizerAction.Attach or AuthorizerAction.Detach:
                return Refuse(AttachText);
            case AuthorizerAction.Analyze:
                Traits |= StatementTraits.Schema | StatementTraits.Rewrites | (IsTemp(schema) ? StatementTraits.Temp : 0);
                return IsReserved(first) ? Ignore : Allow; // ANALYZE without a name goes over all tables and must not fail at ours
            case AuthorizerAction.Reindex:
                Traits |= StatementTraits.Schema | StatementTraits.Rewrites;
                return IsReserved(first) ? Ignore : Allow; // the same
            case AuthorizerAction.AlterTable:
                Traits |= StatementTraits.Schema | StatementTraits.Alters;
                return IsReserved(second) ? RefuseName(second) : Allow;
            case AuthorizerAction.CreateVirtualTable:
                Traits |= StatementTraits.Schema | (IsTemp(schema) ? StatementTraits.Temp : 0);
                return Policy.Modules.Contains(Text(second)) ? CheckName(first, second: null, schema)
                    : Refuse($"virtual tables of the module '{Text(second)}' are not allowed. Allowed are {string.Join(", ", Policy.Modules.Order())}.");
            case AuthorizerAction.CreateTempIndex or AuthorizerAction.CreateTempTable or AuthorizerAction.CreateTempTrigger or AuthorizerAction.CreateTempView:
                Traits |= StatementTraits.Schema | StatementTraits.Temp;
                return Policy.AllowTemp ? CheckName(first, second, schema) : Refuse($"temp objects are not allowed by the profile '{Policy.Name}'.");
            case AuthorizerAction.DropVirtualTable:
                Traits |= StatementTraits.Schema;
                return CheckName(first, second: null, schema); // the second one is the module
            case AuthorizerAction.CreateIndex or AuthorizerAction.CreateTable or AuthorizerAction.CreateTrigger or AuthorizerAction.CreateView
                or AuthorizerAction.DropIndex or AuthorizerAction.DropTable or AuthorizerAction.DropTrigger or AuthorizerAction.DropView
                or AuthorizerAction.DropTempIndex or AuthorizerAction.DropTempTable or AuthorizerAction.DropTempTrigger or AuthorizerAction.DropTempView:
                Traits |= StatementTraits.Schema;
                return CheckName(first, second, schema);
            default:
                return Refuse($"not authorized (action {(int)action} of SQLite is not on the list of what SQL may do).");
        }
    }

    private int CheckRows(byte* table)
    {
        if (HasPrefix(table, "pragma_") && IsIntegrityCheck(Text(table)["pragma_".Length..]))
        {
            Traits |= StatementTraits.ChecksIntegrity;
        }

        // Its rows are the raw pages of the file, ours included.
        return IsReserved(table) ? RefuseName(table)
            : table != null && MemoryMarshal.CreateReadOnlySpanFromNullTerminated(table).SequenceEqual("sqlite_dbpage"u8) ? Refuse("sqlite_dbpage is not allowed: it shows and changes raw pages.")
            : Allow;
    }

    private int Write(AuthorizerAction action, byte* table, byte* schema, byte* trigger)
    {
        if (action == AuthorizerAction.Insert && trigger == null && !StartsWith(table, "sqlite_"u8))
        {
            Traits |= StatementTraits.Inserts;
        }

        if (IsTemp(schema))
        {
            Traits |= StatementTraits.Temp;
        }

        return CheckRows(table);
    }

    private int Function(byte* function)
    {
        var name = Text(function);
        if (Policy.DeniedFunctions.Contains(name) || Policy.AllowedFunctions?.Contains(name) == false)
        {
            return Refuse($"the function {name}() is not allowed.");
        }

        if (name.Equals("changes", StringComparison.OrdinalIgnoreCase))
        {
            Traits |= StatementTraits.UsesChanges;
        }
        else if (name.Equals("last_insert_rowid", StringComparison.OrdinalIgnoreCase))
        {
            Traits |= StatementTraits.UsesLastRowId;
        }

        return Allow;
    }

    private int Pragma(string name, string? value, byte* schema)
    {
        if (!Policy.Pragmas.TryGetValue(name, out var rule))
        {
            return Refuse($"PRAGMA {name} is not allowed.");
        }

        if (IsIntegrityCheck(name))
        {
            Traits |= StatementTraits.ChecksIntegrity;
        }

        if (value == null)
        {
            // `optimize` and `incremental_vacuum` do something without a value; user_version only reads then.
            var writes = rule.Effect == PragmaEffect.Write && name is not ("user_version" or "application_id");
            Traits |= writes ? StatementTraits.PragmaWrites | StatementTraits.Rewrites : StatementTraits.PragmaReads;
            return writes && !Preparing ? Refuse($"PRAGMA {name} cannot be used as a table. Run it as a statement.") : Allow;
        }

        if (!rule.TakesValue || (rule.OnlyValue != null && !value.Equals(rule.OnlyValue, StringComparison.OrdinalIgnoreCase)))
        {
            return Refuse(rule.OnlyValue == null
                ? $"PRAGMA {name} may only be read, not set."
                : $"PRAGMA {name} may only be read or set to {rule.OnlyValue}, not to '{value}'.");
        }

        if (rule.Effect is not PragmaEffect.Read && IsTemp(schema))
        {
            return Refuse($"PRAGMA temp.{name} may only be read, not set."); // it would stay with the connection
        }

        if (rule.Effect is not PragmaEffect.Read && !Preparing)
        {
            return Refuse($"PRAGMA {name} cannot be used as a table. Run it as a statement.");
        }

        switch (rule.Effect)
        {
            case PragmaEffect.Connection:
                Traits |= StatementTraits.PragmaSets;
                Changed.Add(rule);
                _foreignKeys = rule.Name != "foreign_keys" ? _foreignKeys : value.ToUpperInvariant() switch
                {
                    "ON" or "YES" or "TRUE" or "1" => true,
                    "OFF" or "NO" or "FALSE" or "0" => false,
                    _ => _foreignKeys,
                };
                return Allow;
            case PragmaEffect.Write:
                Traits |= StatementTraits.PragmaWrites | StatementTraits.Rewrites;
                return Allow;
            case PragmaEffect.Ignored:
                Traits |= StatementTraits.PragmaReads;
                return Ignore;
            default:
                Traits |= StatementTraits.PragmaReads;
                return Allow;
        }
    }

    /// <summary>The names that a statement makes or drops, and the table that an index or trigger belongs to.</summary>
    private int CheckName(byte* first, byte* second, byte* schema)
    {
        if (IsTemp(schema))
        {
            Traits |= StatementTraits.Temp;
        }

        return IsReserved(first) ? RefuseName(first) : IsReserved(second) ? RefuseName(second) : Allow;
    }

    private bool IsReserved(byte* name)
    {
        foreach (var prefix in Policy.ReservedPrefixes)
        {
            if (HasPrefix(name, prefix))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a name begins so, in any case.</summary>
    private static bool HasPrefix(byte* name, string prefix)
    {
        if (name == null)
        {
            return false;
        }

        for (var i = 0; i < prefix.Length; i++)
        {
            // Prefixes are ASCII. The zero at the end of a shorter name differs from every letter.
            if (Lower(name[i]) != Lower((byte)prefix[i]))
            {
                return false;
            }
        }

        return true;
    }

    private int RefuseName(byte* name) =>
        Refuse($"'{Text(name)}' is not allowed: names beginning {string.Join(" or ", Policy.ReservedPrefixes)} belong to the server. Only their schema may be read.");

    private int Refuse(string why)
    {
        Denial ??= why; // the first refusal is the reason; those after it come from the wreckage
        return Deny;
    }

    private static bool IsIntegrityCheck(string pragma) =>
        pragma.Equals("integrity_check", StringComparison.OrdinalIgnoreCase) || pragma.Equals("quick_check", StringComparison.OrdinalIgnoreCase);

    private static bool IsTemp(byte* schema) => schema != null && MemoryMarshal.CreateReadOnlySpanFromNullTerminated(schema).SequenceEqual("temp"u8);

    private static bool StartsWith(byte* text, ReadOnlySpan<byte> prefix) =>
        text != null && MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).StartsWith(prefix);

    private static byte Lower(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;

    private static string Text(byte* text) => text == null ? "" : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
