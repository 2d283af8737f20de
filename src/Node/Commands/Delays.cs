using System.Globalization;

namespace ReplicatedSqlite.Node;

/// <summary>Reads <c>REGION=300ms</c> and <c>REGION=1.5s</c>.</summary>
internal static class Delays
{
    /// <exception cref="InvalidOperationException">A text is no delay.</exception>
    public static IReadOnlyDictionary<string, TimeSpan> Parse(IEnumerable<string> texts)
    {
        var delays = new Dictionary<string, TimeSpan>();
        foreach (var text in texts)
        {
            var parts = text.Split('=');
            if (parts.Length != 2 || ParseTime(parts[1]) is not { } time)
            {
                throw new InvalidOperationException($"'{text}' is no delay: REGION=300ms or REGION=1.5s is wanted, up to 60s.");
            }

            delays[parts[0]] = time;
        }

        return delays;
    }

    private static TimeSpan? ParseTime(string text)
    {
        var (digits, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1.0) : text.EndsWith('s') ? (text[..^1], 1000.0) : ("", 0);
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value * unit is >= 0 and <= 60_000
            ? TimeSpan.FromMilliseconds(value * unit)
            : null;
    }
}
