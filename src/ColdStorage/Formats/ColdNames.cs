using System.Globalization;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Names of a database's objects, and what they say (docs/formats.md, "Cold storage").</summary>
internal static class ColdNames
{
    private const int PositionLength = 8 + 1 + 16 + 1 + 32;
    private const string SegmentSuffix = ".seg";
    private const string SnapshotSuffix = ".snap";

    public static string Root(DatabaseId database) => $"{database}/";

    public static string Log(DatabaseId database) => $"{database}/log/";

    public static string Snapshots(DatabaseId database) => $"{database}/snap/";

    public static string Pages(DatabaseId database) => $"{database}/pages/";

    public static string Head(DatabaseId database) => $"{database}/head";

    public static string Segment(DatabaseId database, Position first, Position last) => $"{Log(database)}{last}-{first}{SegmentSuffix}";

    public static string Snapshot(DatabaseId database, Position from, Position to) => $"{Snapshots(database)}{to}-{from}{SnapshotSuffix}";

    public static string Chunk(DatabaseId database, ReadOnlySpan<byte> sha256) => $"{Pages(database)}{Convert.ToHexStringLower(sha256)}.pages";

    /// <summary>A name behind those of all segments that end at the position or before, and before those of all others.</summary>
    public static string LogAfter(DatabaseId database, Position position) =>
        string.Create(CultureInfo.InvariantCulture, $"{Log(database)}{position.Epoch:x8}-{position.Sequence:x16}."); // '.' comes behind '-'

    /// <summary>The same, but those that end there come behind it.</summary>
    public static string LogFrom(DatabaseId database, Position position) => LogAfter(database, position)[..^1];

    public static bool TryParseSegment(string name, out Position first, out Position last) => TryParse(name, SegmentSuffix, out last, out first);

    public static bool TryParseSnapshot(string name, out Position from, out Position to) => TryParse(name, SnapshotSuffix, out to, out from);

    private static bool TryParse(string name, string suffix, out Position end, out Position begin)
    {
        (end, begin) = (default, default);
        var text = name.AsSpan(name.LastIndexOf('/') + 1);
        return text.Length == (2 * PositionLength) + 1 + suffix.Length
            && text.EndsWith(suffix, StringComparison.Ordinal)
            && text[PositionLength] == '-'
            && TryParse(text[..PositionLength], out end)
            && TryParse(text.Slice(PositionLength + 1, PositionLength), out begin);
    }

    private static bool TryParse(ReadOnlySpan<char> text, out Position position)
    {
        position = default;
        if (text[8] != '-' || text[25] != '-'
            || !uint.TryParse(text[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch)
            || !ulong.TryParse(text[9..25], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sequence)
            || !ulong.TryParse(text[26..42], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !ulong.TryParse(text[42..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        position = new(epoch, sequence, new ChainHash(high, low));
        return true;
    }
}
