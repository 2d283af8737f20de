namespace ReplicatedSqlite.Sqlite;

/// <summary>What SQL may do on Cloudflare D1, so that what runs here runs there.</summary>
/// <remarks>
/// Sources: D1's documented limits, and the limits, pragmas and functions that workerd's SQLite sets. Two things differ: foreign keys and the
/// refusal of transactions are the same in every profile here, and a batch's 30 seconds are those of any request.
/// </remarks>
internal static class D1Policy
{
    private static readonly string[] _core =
    [
        "abs", "changes", "char", "coalesce", "concat", "concat_ws", "format", "glob", "hex", "ifnull", "if", "iif", "instr", "last_insert_rowid", "length",
        "like", "likelihood", "likely", "lower", "ltrim", "max", "min", "nullif", "octet_length", "printf", "quote", "random", "randomblob", "replace",
        "round", "rtrim", "sign", "soundex", "substr", "substring", "total_changes", "trim", "typeof", "unhex", "unicode", "unistr", "unistr_quote",
        "unlikely", "upper", "zeroblob", "subtype",
    ];

    private static readonly string[] _dates =
    [
        "date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff", "current_date", "current_time", "current_timestamp",
    ];

    private static readonly string[] _aggregates = ["avg", "count", "group_concat", "string_agg", "max", "min", "sum", "total"];

    private static readonly string[] _windows =
    [
        "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value",
    ];

    private static readonly string[] _math =
    [
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees", "exp", "floor", "ln", "log", "log10", "log2",
        "mod", "pi", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
    ];

    private static readonly string[] _json =
    [
        "json", "jsonb", "json_array", "jsonb_array", "json_array_insert", "jsonb_array_insert", "json_array_length", "json_error_position", "json_extract",
        "jsonb_extract", "->", "->>", "json_insert", "jsonb_insert", "json_object", "jsonb_object", "json_patch", "jsonb_patch", "json_pretty", "json_remove",
        "jsonb_remove", "json_replace", "jsonb_replace", "json_set", "jsonb_set", "json_type", "json_valid", "json_quote", "json_group_array",
        "jsonb_group_array", "json_group_object", "jsonb_group_object", "json_each", "json_tree",
    ];

    private static readonly string[] _modules = ["match", "highlight", "bm25", "snippet", "rtreecheck"];

    // SQLite's own, inside the statements that an ALTER TABLE runs.
    private static readonly string[] _alterTable =
    [
        "sqlite_rename_column", "sqlite_rename_table", "sqlite_rename_test", "sqlite_drop_column", "sqlite_rename_quotefix", "sqlite_fail",
        "sqlite_drop_constraint", "sqlite_add_constraint", "sqlite_find_constraint",
    ];

    public static SqlPolicy Create() => new()
    {
        Name = "d1",
        Limits =
        [
            (SqliteLimits.Length, 2_000_000),
            (SqliteLimits.SqlLength, 100_000),
            (SqliteLimits.Column, 100),
            (SqliteLimits.ExpressionDepth, 100),
            (SqliteLimits.CompoundSelect, 5),
            (SqliteLimits.VdbeOp, 25_000),
            (SqliteLimits.FunctionArgument, 127),
            (SqliteLimits.Attached, 0),
            (SqliteLimits.LikePatternLength, 50),
            (SqliteLimits.VariableNumber, 100),
            (SqliteLimits.TriggerDepth, 10),
            (SqliteLimits.WorkerThreads, 0),
        ],
        Pragmas = SqlPolicy.Rules(SqlPolicy.CommonPragmas),
        Modules = SqlPolicy.Names("fts5", "fts5vocab", "rtree", "rtree_i32"),
        DeniedFunctions = SqlPolicy.Names("load_extension"),
        AllowedFunctions = SqlPolicy.Names(
            [.. _core, .. _dates, .. _aggregates, .. _windows, .. _math, .. _json, .. _modules, .. _alterTable]),
        AllowTemp = false,
        AllowVacuum = false,
        ReservedPrefixes = ["_rs_", "_cf_"],
    };
}
