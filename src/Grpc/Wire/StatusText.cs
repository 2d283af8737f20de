using System.Buffers;
using System.Text;

namespace ReplicatedSqlite.Grpc;

/// <summary>The percent-encoding of <c>grpc-message</c>: UTF-8 bytes other than printable ASCII, and <c>%</c>, as <c>%XX</c>.</summary>
public static class StatusText
{
    // Headers are limited in size everywhere; a text beyond this says nothing more.
    private const int MaxChars = 4096;

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c != '%')]);

    /// <summary>The form to send; texts beyond 4096 characters are cut.</summary>
    public static string Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxChars) text = text[..MaxChars];
        if (!text.AsSpan().ContainsAnyExcept(Plain)) return text;
        var encoded = new StringBuilder(text.Length + 32);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (b is >= (byte)' ' and <= (byte)'~' and not (byte)'%') encoded.Append((char)b);
            else encoded.Append('%').Append(HexDigit(b >> 4)).Append(HexDigit(b & 15));
        }

        return encoded.ToString();
    }

    /// <summary>Reads what came; a <c>%</c> without two hex digits stands for itself, as the protocol asks.</summary>
    public static string Decode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Contains('%', StringComparison.Ordinal)) return text;
        var bytes = new ArrayBufferWriter<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes.Write([(byte)((HexValue(text[i + 1]) << 4) | HexValue(text[i + 2]))]);
                i += 2;
            }
            else
            {
                bytes.Write([(byte)text[i]]);
            }
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static char HexDigit(int value) => (char)(value < 10 ? '0' + value : 'A' + value - 10);

    private static int HexValue(char digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
