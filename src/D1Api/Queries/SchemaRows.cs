using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>
/// Questions about the schema, whose answers leave the server's own tables out: tools such as <c>drizzle-kit push</c> would take these for the user's, and offer to drop them.
/// Only answers are looked at; what SQL counts or joins is as it is.
/// </summary>
internal static class SchemaRows
{
    private const string Prefix = "_rs_";
    private static readonly string[] _sources = ["sqlite_master", "sqlite_schema", "table_list"];

    /// <summary>Whether a request asks about the schema.</summary>
    public static bool AreAskedBy(ExecuteRequest request)
    {
        foreach (var statement in request.Statements)
        {
            foreach (var source in _sources)
            {
                if (statement.Sql.Contains(source, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether a name belongs to the server.</summary>
    public static bool IsServers(string name) => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
}
