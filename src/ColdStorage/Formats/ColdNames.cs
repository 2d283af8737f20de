using System.Globalization;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Names of a database's objects, and what they say (docs/formats.md, "Cold storage").</summary>
internal static class ColdNames
{
    private const int PositionLength = Position.TextLength;
    private const string SegmentSuffix = ".seg";
    private const string SnapshotSuffix = ".snap";

    public static string Root(DatabaseId database) => $"{database}/";

    public static string Log(DatabaseId database) => $"{database}/log/";

    public static string Snapshots(DatabaseId database) => $"{database}/snap/";

    public static string Pages(DatabaseId database) => $"{database}/pages/";

    public static string Head(DatabaseId database) => $"{database}/head";

    /// <summary>Where a fork's log begins.</summary>
    public static string Origin(DatabaseId database) => $"{database}/origin";

    /// <summary>From where on states are kept.</summary>
    public static string Floor(DatabaseId database) => $"{database}/floor";

    /// <summary>What is about to be collected, and since when.</summary>
    public static string Garbage(DatabaseId database) => $"{database}/garbage";

    /// <summary>The database was deleted, and is being removed for good.</summary>
    public static string Removal(DatabaseId database) => $"{database}/removal";

    public static string Pins(DatabaseId database) => $"{database}/pins/";

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
            && Position.TryParse(text[..PositionLength], out end)
            && Position.TryParse(text.Slice(PositionLength + 1, PositionLength), out begin);
    }
}
