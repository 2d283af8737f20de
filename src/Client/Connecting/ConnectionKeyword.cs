namespace ReplicatedSqlite;

/// <summary>One keyword of connection strings.</summary>
/// <param name="Name">As it is written out.</param>
/// <param name="Aliases">Other spellings.</param>
/// <param name="Default">What an unset keyword reads as.</param>
/// <param name="Parse">Checks a value and brings it into its own type.</param>
internal sealed record ConnectionKeyword(string Name, string[] Aliases, object Default, Func<string, object> Parse)
{
    public static IReadOnlyList<ConnectionKeyword> All { get; } =
    [
        new("Endpoint", ["Endpoints", "Data Source", "DataSource", "Server"], "", text => text),
        new("Database", ["Initial Catalog"], "", text => text),
        new("Session", [], "", text => text),
        new("Token", [], "", text => text),
        new("Authority File", ["AuthorityFile", "Root Certificate"], "", text => text),
        new("Tls", [], false, text => ConnectionValue.Boolean("Tls", text)),
        new("Command Timeout", ["CommandTimeout", "Default Timeout"], 30, text => ConnectionValue.WholeSeconds("Command Timeout", text)),
        new("Connect Timeout", ["ConnectTimeout", "Connection Timeout"], TimeSpan.FromSeconds(5), text => ConnectionValue.Seconds("Connect Timeout", text)),
        new("Retry Timeout", ["RetryTimeout"], TimeSpan.FromSeconds(10), text => ConnectionValue.Seconds("Retry Timeout", text)),
        new("Bookmark Timeout", ["BookmarkTimeout"], TimeSpan.Zero, text => ConnectionValue.Seconds("Bookmark Timeout", text)),
        new("On Bookmark Timeout", ["OnBookmarkTimeout"], OnWaitTimeout.Forward, text => ConnectionValue.OnTimeout("On Bookmark Timeout", text)),
        new("Max Staleness", ["MaxStaleness"], TimeSpan.Zero, text => ConnectionValue.Seconds("Max Staleness", text)),
        new("Idempotent Writes", ["IdempotentWrites"], false, text => ConnectionValue.Boolean("Idempotent Writes", text)),
        new("Transaction Idle Timeout", ["TransactionIdleTimeout"], TimeSpan.Zero, text => ConnectionValue.Seconds("Transaction Idle Timeout", text)),
        new("Transaction Timeout", ["TransactionTimeout"], TimeSpan.Zero, text => ConnectionValue.Seconds("Transaction Timeout", text)),
    ];

    private static readonly Dictionary<string, ConnectionKeyword> _byName = All
        .SelectMany(keyword => keyword.Aliases.Prepend(keyword.Name).Select(name => (name, keyword)))
        .ToDictionary(pair => pair.name, pair => pair.keyword, StringComparer.OrdinalIgnoreCase);

    public static ConnectionKeyword? Find(string name) => _byName.GetValueOrDefault(name);

    /// <exception cref="ArgumentException">There is none of that name; the text names the nearest.</exception>
    public static ConnectionKeyword Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name) ?? throw new ArgumentException(
            $"Connection strings have no keyword '{name}'. Did you mean '{Nearest(name)}'? There are {string.Join(", ", All.Select(keyword => keyword.Name))}.", nameof(name));
    }

    private static string Nearest(string name) => _byName.Keys.MinBy(known => Distance(name.ToUpperInvariant(), known.ToUpperInvariant()))!;

    // Levenshtein's: how many letters to change, add or take away.
    private static int Distance(string left, string right)
    {
        var previous = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var current = new int[right.Length + 1];
            current[0] = i;
            for (var j = 1; j <= right.Length; j++)
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
            previous = current;
        }

        return previous[right.Length];
    }
}
