using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What a statement would need and return.</summary>
/// <param name="ReadOnly">It leaves the database as it is.</param>
/// <param name="Parameters">The parameters' names with their prefix; empty for <c>?</c>.</param>
/// <param name="Columns">The columns that it returns.</param>
/// <param name="TailOffset">Where the next statement starts, in bytes of the SQL's UTF-8.</param>
public sealed record StatementDescription(bool ReadOnly, IReadOnlyList<string> Parameters, ResultColumns Columns, int TailOffset)
{
    internal static StatementDescription From(DescribeResponse response) => new(
        response.ReadOnly,
        [.. response.Parameters],
        response.Columns.Count == 0 ? ResultColumns.None : new ResultColumns(response.Columns),
        checked((int)response.TailOffset));
}
