namespace ReplicatedSqlite.Grpc;

/// <summary>Base64 of binary metadata: written unpadded, read with or without padding.</summary>
public static class MetadataBase64
{
    /// <summary>The form to send.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>Reads one value; false if it is not base64.</summary>
    public static bool TryDecode(string text, out byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(text);
        var padded = text.TrimEnd('=');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        bytes = new byte[padded.Length / 4 * 3];
        if (!Convert.TryFromBase64String(padded, bytes, out var length)) return false;
        Array.Resize(ref bytes, length);
        return true;
    }
}
