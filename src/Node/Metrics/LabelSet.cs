using System.Globalization;

namespace ReplicatedSqlite.Node;

/// <summary>The labels of one series, of which instruments here have at most four. Made for each measurement, without allocating.</summary>
internal readonly struct LabelSet : IEquatable<LabelSet>
{
    public const int Max = 4;

    private readonly KeyValuePair<string, object?> _first;
    private readonly KeyValuePair<string, object?> _second;
    private readonly KeyValuePair<string, object?> _third;
    private readonly KeyValuePair<string, object?> _fourth;

    public LabelSet(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Count = Math.Min(tags.Length, Max);
        _first = Count > 0 ? tags[0] : default;
        _second = Count > 1 ? tags[1] : default;
        _third = Count > 2 ? tags[2] : default;
        _fourth = Count > 3 ? tags[3] : default;
    }

    public int Count { get; }

    /// <summary>The same names with <c>other</c> for each value: where everything goes that would be one series too many.</summary>
    public LabelSet Other
    {
        get
        {
            var tags = new KeyValuePair<string, object?>[Count];
            for (var i = 0; i < Count; i++)
            {
                tags[i] = new(this[i].Name, "other");
            }

            return new LabelSet(tags);
        }
    }

    public (string Name, string Value) this[int index]
    {
        get
        {
            var tag = index switch { 0 => _first, 1 => _second, 2 => _third, _ => _fourth };
            return (tag.Key, Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "");
        }
    }

    public bool Equals(LabelSet other) =>
        Count == other.Count && Same(_first, other._first) && Same(_second, other._second) && Same(_third, other._third) && Same(_fourth, other._fourth);

    public override bool Equals(object? obj) => obj is LabelSet other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_first.Value, _second.Value, _third.Value, _fourth.Value);

    private static bool Same(in KeyValuePair<string, object?> left, in KeyValuePair<string, object?> right) =>
        left.Key == right.Key && Equals(left.Value, right.Value);
}
