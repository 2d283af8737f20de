namespace ReplicatedSqlite.Node;

/// <summary>Finds the name that somebody who mistyped it meant.</summary>
internal static class NearestName
{
    /// <summary>The nearest of the names, if it is near enough to be meant.</summary>
    public static string? Of(string typed, IEnumerable<string> names)
    {
        if (typed.Length > 100)
        {
            return null;
        }

        var (name, distance) = names.Select(name => (name, Distance(typed, name))).DefaultIfEmpty(("", int.MaxValue)).MinBy(static pair => pair.Item2);
        return distance <= Math.Max(2, typed.Length / 3) ? name : null;
    }

    /// <summary>How many letters have to be put in, taken out or changed (Levenshtein); case does not count.</summary>
    public static int Distance(string from, string to)
    {
        var row = new int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var changed = diagonal + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[to.Length];
    }
}
