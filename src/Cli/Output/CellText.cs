using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Values as the sqlite3 shell writes them: NULL as nothing, reals with 15 digits. Blobs, which it writes raw, are written as SQL: <c>X'0A'</c>.</summary>
internal static class CellText
{
    public static string Of(Row row, int column) => row.Kind(column) switch
    {
        SqlKind.Integer => row.GetInt64(column).ToString(CultureInfo.InvariantCulture),
        SqlKind.Real => Of(row.GetDouble(column)),
        SqlKind.Text => row.GetString(column),
        SqlKind.Blob => $"X'{Convert.ToHexString(row.GetBytes(column).Span)}'",
        SqlKind.InvalidText => Encoding.UTF8.GetString(row.GetBytes(column).Span), // with U+FFFD for what is no text
        _ => "",
    };

    /// <summary>A real as SQLite's <c>%!.15g</c> writes it.</summary>
    public static string Of(double value)
    {
        if (double.IsInfinity(value)) return value > 0 ? "Inf" : "-Inf";
        if (double.IsNaN(value)) return "";
        if (value == 0) return "0.0";
        var text = value.ToString("E14", CultureInfo.InvariantCulture); // d.dddddddddddddde+ddd
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = int.Parse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var sign = text[0] == '-' ? "-" : "";
        var digits = text[sign.Length..exponentAt].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        if (exponent is < -4 or >= 15)
            return $"{sign}{digits[0]}.{(digits.Length > 1 ? digits[1..] : "0")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1
            ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>The cells that a text takes on a terminal.</summary>
    public static int Width(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            width += Rune.GetUnicodeCategory(rune) switch
            {
                UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
                _ => IsWide(rune.Value) ? 2 : 1,
            };
        }

        return width;
    }

    // East Asian wide and emoji blocks: what terminals draw two cells wide. Source: Unicode, EastAsianWidth.txt, by blocks.
    private static bool IsWide(int rune) =>
        rune is (>= 0x1100 and <= 0x115f) or (>= 0x2e80 and <= 0xa4cf) or (>= 0xac00 and <= 0xd7a3) or (>= 0xf900 and <= 0xfaff)
            or (>= 0xfe30 and <= 0xfe6f) or (>= 0xff00 and <= 0xff60) or (>= 0x1f300 and <= 0x1faff) or (>= 0x20000 and <= 0x3fffd);

    /// <summary>Control characters as <c>^X</c>: what is stored must not steer the terminal. Line ends and tabs stay.</summary>
    public static string ForTerminal(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.Contains('\x7f', StringComparison.Ordinal)) return text;
        var safe = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c is '\n' or '\t' || (c >= ' ' && c != '\x7f')) safe.Append(c);
            else if (c != '\r') safe.Append('^').Append((char)(c ^ 0x40));
        }

        return safe.ToString();
    }
}
