namespace ReplicatedSqlite.Grpc;

/// <summary>One piece of metadata: text, or bytes under a name that ends in <c>-bin</c>.</summary>
public readonly record struct MetadataEntry
{
    private readonly byte[]? _bytes;
    private readonly string? _text;

    internal MetadataEntry(string name, string text) => (Name, _text) = (name, text);

    internal MetadataEntry(string name, byte[] bytes) => (Name, _bytes) = (name, bytes);

    /// <summary>The name, in lower case.</summary>
    public string Name { get; }

    /// <summary>Whether the value is bytes.</summary>
    public bool IsBinary => _bytes is not null;

    /// <summary>The text; for a binary entry its base64 form, unpadded, as it travels.</summary>
    public string Value => _text ?? Convert.ToBase64String(_bytes ?? []).TrimEnd('=');

    /// <summary>The bytes of a binary entry; empty for text.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;
}
