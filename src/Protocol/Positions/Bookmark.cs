using System.Globalization;

namespace ReplicatedSqlite;

/// <summary>A point in the commit order: a read at a bookmark sees that commit and every earlier one.</summary>
/// <remarks>
/// Text form: epoch as 8, sequence as 16 and tag as 16 hexadecimal digits, lowercase, joined by <c>-</c>: 42 characters, so ordinal string order is
/// commit order within a database. The tag is 32 bits of a hash of the database id, then 32 bits of the entry's chain hash; it takes no part in
/// the order. In the product's own namespace, for applications keep bookmarks too.
/// </remarks>
public readonly record struct Bookmark(uint Epoch, ulong Sequence, ulong Tag) : IComparable<Bookmark>, IParsable<Bookmark>
{
    /// <summary>Characters of the text form.</summary>
    public const int TextLength = 42;

    /// <summary>Before the first commit: every copy satisfies it.</summary>
    public static Bookmark Start => default;

    /// <summary>32 bits that name the database.</summary>
    public uint DatabaseTag => (uint)(Tag >> 32);

    /// <summary>32 bits of the chain hash of the entry that holds this write.</summary>
    public uint EntryTag => (uint)Tag;

    /// <summary>The later of two.</summary>
    public static Bookmark Max(Bookmark left, Bookmark right) => left.CompareTo(right) >= 0 ? left : right;

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a bookmark.</exception>
    public static Bookmark Parse(ReadOnlySpan<char> text) => TryParse(text, out var bookmark)
        ? bookmark
        : throw new FormatException(
            $"'{Shorten(text)}' is not a bookmark. A bookmark has 42 characters: 8, 16 and 16 lowercase hexadecimal digits joined by '-'.");

    /// <summary>Reads the text form; allocates nothing.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Bookmark bookmark)
    {
        bookmark = default;
        if (text.Length != TextLength || text[8] != '-' || text[25] != '-')
        {
            return false;
        }

        if (!TryParseHex(text[..8], out var epoch) || !TryParseHex(text[9..25], out var sequence) || !TryParseHex(text[26..], out var tag))
        {
            return false;
        }

        bookmark = new((uint)epoch, sequence, tag);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(Bookmark other) => (Epoch, Sequence).CompareTo((other.Epoch, other.Sequence));

    /// <summary>Later in commit order.</summary>
    public static bool operator >(Bookmark left, Bookmark right) => left.CompareTo(right) > 0;

    /// <summary>Earlier in commit order.</summary>
    public static bool operator <(Bookmark left, Bookmark right) => left.CompareTo(right) < 0;

    /// <summary>Later, or the same commit.</summary>
    public static bool operator >=(Bookmark left, Bookmark right) => left.CompareTo(right) >= 0;

    /// <summary>Earlier, or the same commit.</summary>
    public static bool operator <=(Bookmark left, Bookmark right) => left.CompareTo(right) <= 0;

    static Bookmark IParsable<Bookmark>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<Bookmark>.TryParse(string? s, IFormatProvider? provider, out Bookmark result) => TryParse(s, out result);

    /// <summary>The text form.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:x8}-{Sequence:x16}-{Tag:x16}");

    // Uppercase digits are refused: two spellings of one bookmark would break the string order that clients rely on.
    private static bool TryParseHex(ReadOnlySpan<char> digits, out ulong value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            uint nibble;
            if (digit is >= '0' and <= '9')
            {
                nibble = (uint)(digit - '0');
            }
            else if (digit is >= 'a' and <= 'f')
            {
                nibble = (uint)(digit - 'a' + 10);
            }
            else
            {
                return false;
            }

            value = (value << 4) | nibble;
        }

        return true;
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 64 ? text.ToString() : $"{text[..64]}…";
}
