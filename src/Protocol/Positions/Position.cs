using System.Globalization;

namespace ReplicatedSqlite.Protocol;

/// <summary>The end of an entry in a database's log.</summary>
/// <remarks>
/// After an abandoned tail its sequences are used again under a higher epoch, so a place in the log is (epoch, sequence) with its hash, never a
/// sequence alone. Order is by (epoch, sequence); two positions are the same place only when the hashes are equal too.
/// </remarks>
public readonly record struct Position(uint Epoch, ulong Sequence, ChainHash Hash) : IComparable<Position>
{
    /// <summary>Bytes of the binary form: epoch u32, sequence u64, hash; little-endian integers.</summary>
    public const int SizeBytes = 4 + 8 + ChainHash.SizeBytes;

    /// <summary>Letters of the text form.</summary>
    public const int TextLength = 8 + 1 + 16 + 1 + 32;

    /// <summary>Before the first entry.</summary>
    public static Position Start => default;

    /// <summary>The bookmark of this entry's last write.</summary>
    public Bookmark ToBookmark(DatabaseId database) => ToBookmark(database, Sequence);

    /// <summary>The bookmark of one write inside the entry that ends here.</summary>
    public Bookmark ToBookmark(DatabaseId database, ulong sequence) =>
        this == Start ? Bookmark.Start : new(Epoch, sequence, ((ulong)database.Tag << 32) | Hash.Tag);

    /// <summary>Reads what <see cref="ToString"/> gives.</summary>
    /// <exception cref="FormatException">It is no position.</exception>
    public static Position Parse(ReadOnlySpan<char> text) => TryParse(text, out var position) ? position : throw new FormatException($"'{text}' is no position: epoch-sequence-hash, 8, 16 and 32 hexadecimal digits, was wanted.");

    /// <summary>Reads what <see cref="ToString"/> gives.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Position position)
    {
        position = default;
        if (text.Length != TextLength || text[8] != '-' || text[25] != '-'
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

    /// <inheritdoc/>
    public int CompareTo(Position other) => (Epoch, Sequence).CompareTo((other.Epoch, other.Sequence));

    /// <summary>Later in commit order.</summary>
    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;

    /// <summary>Earlier in commit order.</summary>
    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;

    /// <summary>Later, or at the same (epoch, sequence).</summary>
    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;

    /// <summary>Earlier, or at the same (epoch, sequence).</summary>
    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;

    /// <summary>For logs and errors: <c>epoch-sequence-hash</c>.</summary>
    public override string ToString() => $"{Epoch:x8}-{Sequence:x16}-{Hash}";
}
