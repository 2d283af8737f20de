using System.Globalization;

namespace ReplicatedSqlite;

/// <summary>Reads the values of connection strings, and says what was wanted where one is none.</summary>
internal static class ConnectionValue
{
    public static object Boolean(string keyword, string text) => text.Trim().ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" or "1" => true,
        "FALSE" or "NO" or "OFF" or "0" => false,
        _ => throw Wrong(keyword, text, "true or false"),
    };

    public static object WholeSeconds(string keyword, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : throw Wrong(keyword, text, "seconds (0: no limit)");

    public static object Seconds(string keyword, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= int.MaxValue ? TimeSpan.FromSeconds(seconds)
        : text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && time >= TimeSpan.Zero ? time
        : throw Wrong(keyword, text, "seconds, for example 2.5, or hh:mm:ss");

    public static object OnTimeout(string keyword, string text) => text.Trim().ToUpperInvariant() switch
    {
        "FORWARD" => OnWaitTimeout.Forward,
        "FAIL" => OnWaitTimeout.Fail,
        _ => throw Wrong(keyword, text, "Forward or Fail"),
    };

    public static string Write(object value) => value switch
    {
        TimeSpan time => time.TotalSeconds.ToString("0.#######", CultureInfo.InvariantCulture),
        bool flag => flag ? "True" : "False",
        Bookmark bookmark => bookmark.ToString(),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static ArgumentException Wrong(string keyword, string text, string wanted) => new($"'{text}' is no value of '{keyword}': {wanted} is wanted.", keyword);
}
