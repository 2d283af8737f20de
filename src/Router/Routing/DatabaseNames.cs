using System.Text.RegularExpressions;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>What a database may be called.</summary>
internal static partial class DatabaseNames
{
    /// <exception cref="RequestException">The name is none.</exception>
    public static void Check(string name)
    {
        if (!Valid().IsMatch(name))
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest,
                $"'{Shorten(name)}' is no database name: 1 to 64 of A-Z, a-z, 0-9, '_' and '-' are wanted, and the first is a letter or a digit.");
        }

        if (Guid.TryParse(name, out _))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"'{name}' looks like a database id. Choose a name that does not.");
        }
    }

    public static RequestException NotFound(string nameOrId) => nameOrId.Length == 0
        ? new(ErrorCodes.InvalidRequest, "The request names no database.")
        : new(ErrorCodes.DatabaseNotFound, $"There is no database '{Shorten(nameOrId)}'. Names are case-sensitive; ListDatabases shows them.");

    private static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Valid();
}
