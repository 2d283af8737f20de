using System.Collections.Frozen;
using System.Collections.Immutable;

namespace ReplicatedSqlite.Sqlite;

/// <summary>What users' SQL may do. A profile is data: the rules that no profile may loosen are in <see cref="SqlAuthorizer"/>.</summary>
public sealed record SqlPolicy
{
    /// <summary>SQLite's own surface and limits, but 16 MiB a value.</summary>
    public static SqlPolicy Default { get; } = new()
    {
        Name = "default",
        Limits = [(SqliteLimits.Length, 16 * 1024 * 1024)],
        Modules = Names("fts5", "fts5vocab", "rtree", "rtree_i32"),
        DeniedFunctions = Names("load_extension"),
        Pragmas = Rules(
        [
            .. CommonPragmas,
            PragmaRule.Read("integrity_check"),
            PragmaRule.Read("page_count", takesValue: false),
            PragmaRule.Read("freelist_count", takesValue: false),
            PragmaRule.Read("encoding", takesValue: false),
            PragmaRule.Read("database_list", takesValue: false),
            PragmaRule.Read("function_list", takesValue: false),
            PragmaRule.Read("collation_list", takesValue: false),
            PragmaRule.Ignored("busy_timeout"),
            PragmaRule.Ignored("cache_size"),
            PragmaRule.Ignored("temp_store"),
            new PragmaRule("journal_mode", PragmaEffect.Read, OnlyValue: "wal"),
            new PragmaRule("user_version", PragmaEffect.Write),
            new PragmaRule("application_id", PragmaEffect.Write),
            new PragmaRule("incremental_vacuum", PragmaEffect.Write),
        ]),
    };

    /// <summary>Cloudflare D1's surface and limits.</summary>
    public static SqlPolicy D1 { get; } = D1Policy.Create();

    /// <summary>What the SQL of a dump may do in the new file that it makes: besides the default, what <c>sqlite3 .dump</c> writes. BEGIN and COMMIT do nothing: the file is one transaction.</summary>
    public static SqlPolicy Import { get; } = Default with
    {
        Name = "import",
        IgnoresTransactions = true,
        AllowVacuum = false,
        Pragmas = ImportPragmas(),
    };

    /// <summary>The profile's name, as an operator writes it.</summary>
    public required string Name { get; init; }

    /// <summary>Pairs of a SQLITE_LIMIT_ number and its value.</summary>
    public required ImmutableArray<(int Limit, int Value)> Limits { get; init; }

    /// <summary>The pragmas that may be run, by name.</summary>
    public required FrozenDictionary<string, PragmaRule> Pragmas { get; init; }

    /// <summary>The virtual-table modules that may be created.</summary>
    public required FrozenSet<string> Modules { get; init; }

    /// <summary>Functions that may not be called.</summary>
    public required FrozenSet<string> DeniedFunctions { get; init; }

    /// <summary>The only functions that may be called, besides <see cref="DeniedFunctions"/>; <see langword="null"/> for all.</summary>
    public FrozenSet<string>? AllowedFunctions { get; init; }

    /// <summary>Temp tables, views, indexes and triggers within one request.</summary>
    public bool AllowTemp { get; init; } = true;

    /// <summary>VACUUM, alone in its request.</summary>
    public bool AllowVacuum { get; init; } = true;

    /// <summary>BEGIN and COMMIT are taken and do nothing.</summary>
    public bool IgnoresTransactions { get; init; }

    /// <summary>Beginnings of names that users may neither read, write, create, alter nor drop. Their schema may be read.</summary>
    public ImmutableArray<string> ReservedPrefixes { get; init; } = ["_rs_"];

    /// <summary>The profile of a name.</summary>
    /// <returns><see langword="null"/> if there is none of that name.</returns>
    public static SqlPolicy? Find(string profile) => profile == Default.Name ? Default : profile == D1.Name ? D1 : null;

    /// <summary>Whether a name belongs to the server.</summary>
    public bool IsReserved(ReadOnlySpan<char> name)
    {
        foreach (var prefix in ReservedPrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    // What says how a file is kept is not the dump's to say.
    private static FrozenDictionary<string, PragmaRule> ImportPragmas()
    {
        string[] ignored = ["journal_mode", "synchronous", "locking_mode", "encoding", "page_size", "auto_vacuum", "wal_autocheckpoint", "mmap_size", "legacy_file_format"];
        return Rules([.. Default.Pragmas.Values.Where(rule => !ignored.Contains(rule.Name)), PragmaRule.Switch("writable_schema"), .. ignored.Select(PragmaRule.Ignored)]);
    }

    internal static FrozenSet<string> Names(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What every profile allows.</summary>
    internal static PragmaRule[] CommonPragmas =>
    [
        PragmaRule.Read("table_list"),
        PragmaRule.Read("table_info"),
        PragmaRule.Read("table_xinfo"),
        PragmaRule.Read("index_info"),
        PragmaRule.Read("index_xinfo"),
        PragmaRule.Read("index_list"),
        PragmaRule.Read("foreign_key_list"),
        PragmaRule.Read("foreign_key_check"),
        PragmaRule.Read("quick_check"),
        PragmaRule.Read("data_version", takesValue: false),
        PragmaRule.Read("page_size", takesValue: false),
        PragmaRule.Switch("foreign_keys", on: true),
        PragmaRule.Switch("defer_foreign_keys"),
        PragmaRule.Switch("case_sensitive_like"),
        PragmaRule.Switch("ignore_check_constraints"),
        PragmaRule.Switch("legacy_alter_table"),
        PragmaRule.Switch("recursive_triggers"),
        PragmaRule.Switch("reverse_unordered_selects"),
        new PragmaRule("optimize", PragmaEffect.Write),
    ];

    internal static FrozenDictionary<string, PragmaRule> Rules(params PragmaRule[] rules) =>
        rules.ToFrozenDictionary(rule => rule.Name, StringComparer.OrdinalIgnoreCase);
}
