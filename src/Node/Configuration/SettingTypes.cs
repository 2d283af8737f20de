using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Node;

/// <summary>The kinds of values that settings have.</summary>
internal static class SettingTypes
{
    private static readonly (string Unit, TimeSpan Size)[] _times =
        [("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1))];

    private static readonly (string Unit, long Size)[] _sizes = [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1)];

    public static SettingType<string> Text { get; } = new("a text", AnyText, static value => value);

    public static SettingType<string> Name { get; } = new("1 to 32 lowercase letters, digits and '-'", ReadName, static value => value);

    public static SettingType<bool> Flag { get; } = new("true or false", bool.TryParse, static value => value ? "true" : "false");

    public static SettingType<int> Port { get; } = new("a port from 1 to 65535, or 0 for any free one", ReadPort, static value => value.ToString(CultureInfo.InvariantCulture));

    public static SettingType<IPAddress> Address { get; } = new("an IP address of this machine, e.g. 127.0.0.1 or 0.0.0.0", ReadAddress, static value => value.ToString());

    public static SettingType<Uri> NodeAddress { get; } = new("http://HOST:PORT or https://HOST:PORT", ReadNodeAddress, static value => value.GetLeftPart(UriPartial.Authority));

    public static SettingType<IReadOnlyList<Uri>> NodeAddresses { get; } = new(
        "one or more of http://HOST:PORT or https://HOST:PORT", ReadNodeAddresses, static value => string.Join(",", value.Select(uri => uri.GetLeftPart(UriPartial.Authority))));

    public static SettingType<NodeRoles> Roles { get; } = new("one or more of router, primary, replica and follower", ReadRoles, WriteRoles);

    public static SettingType<LogLevel> LogLevel { get; } = new(
        "trace, debug, information, warning, error or critical", ReadLogLevel, static value => value.ToString().ToLowerInvariant());

    /// <summary>A length of time between two bounds, both included.</summary>
    public static SettingType<TimeSpan> Time(TimeSpan from, TimeSpan to) => new(
        $"a time from {Write(from)} to {Write(to)}, such as 250ms, 10s, 5m or 24h",
        (string text, out TimeSpan value) => TryReadTime(text, out value) && value >= from && value <= to,
        Write);

    /// <summary>A whole number between two bounds, both included.</summary>
    public static SettingType<int> Count(int from, int to) => new(
        string.Create(CultureInfo.InvariantCulture, $"a number from {from} to {to}"),
        (string text, out int value) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= from && value <= to,
        static value => value.ToString(CultureInfo.InvariantCulture));

    /// <summary>A number of bytes between two bounds, both included.</summary>
    public static SettingType<long> Size(long from, long to) => new(
        $"a size from {Write(from)} to {Write(to)}, such as 512KiB, 64MiB or 1GiB",
        (string text, out long value) => TryReadSize(text, out value) && value >= from && value <= to,
        Write);

    /// <summary>One of a few words.</summary>
    public static SettingType<string> OneOf(params string[] words) => new(
        string.Join(" or ", words), (string text, [MaybeNullWhen(false)] out string value) => words.Contains(value = text), static value => value);

    private static bool AnyText(string text, out string value)
    {
        value = text;
        return true;
    }

    private static bool ReadName(string text, out string value)
    {
        value = text;
        return text.Length is > 0 and <= 32 && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
    }

    private static bool ReadPort(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= ushort.MaxValue;

    private static bool ReadAddress(string text, out IPAddress value)
    {
        var isRead = IPAddress.TryParse(text, out var address);
        value = address ?? IPAddress.None;
        return isRead;
    }

    private static bool ReadNodeAddress(string text, out Uri value)
    {
        var isRead = Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.PathAndQuery == "/" && address.UserInfo.Length == 0;
        value = address ?? new Uri("http://localhost");
        return isRead;
    }

    private static bool ReadNodeAddresses(string text, out IReadOnlyList<Uri> value)
    {
        var read = new List<Uri>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!ReadNodeAddress(part, out var address))
            {
                value = read;
                return false;
            }

            read.Add(address);
        }

        value = read;
        return read.Count > 0;
    }

    private static bool ReadRoles(string text, out NodeRoles value)
    {
        value = NodeRoles.None;
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var role = Enum.GetValues<NodeRoles>().FirstOrDefault(role => WriteRole(role) == word && role is not (NodeRoles.None or NodeRoles.All));
            if (role == NodeRoles.None)
            {
                return false;
            }

            value |= role;
        }

        return value != NodeRoles.None;
    }

    private static string WriteRoles(NodeRoles roles) => string.Join(
        ",", Enum.GetValues<NodeRoles>().Where(role => role is not (NodeRoles.None or NodeRoles.All) && roles.HasFlag(role)).Select(WriteRole));

    private static string WriteRole(NodeRoles role) => role.ToString().ToLowerInvariant();

    private static bool ReadLogLevel(string text, out LogLevel value) =>
        Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && value != Microsoft.Extensions.Logging.LogLevel.None && !char.IsAsciiDigit(text[0]);

    private static bool TryReadTime(string text, out TimeSpan value)
    {
        foreach (var (unit, size) in _times)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number < 1e9)
            {
                value = size * number;
                return true;
            }
        }

        value = default;
        return false;
    }

    private static bool TryReadSize(string text, out long value)
    {
        foreach (var (unit, size) in _sizes)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal) && long.TryParse(text[..^unit.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number <= long.MaxValue / size)
            {
                value = number * size;
                return true;
            }
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    private static string Write(TimeSpan time)
    {
        var (unit, size) = _times.Last(candidate => time.Ticks % candidate.Size.Ticks == 0 || candidate.Unit == "ms");
        return string.Create(CultureInfo.InvariantCulture, $"{time / (time == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : size):0.###}{(time == TimeSpan.Zero ? "s" : unit)}");
    }

    private static string Write(long size)
    {
        var (unit, factor) = _sizes.First(candidate => size % candidate.Size == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{size / factor}{unit}");
    }
}
