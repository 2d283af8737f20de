using System.Collections;
using System.Diagnostics.CodeAnalysis;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>The headers or trailers of a call, without those that belong to HTTP or to gRPC itself. Not thread-safe.</summary>
/// <remarks>Names are lower case letters, digits, <c>-</c>, <c>_</c> and <c>.</c>; a name may come several times. Source: gRPC over HTTP/2, "Custom-Metadata".</remarks>
public sealed class Metadata : IReadOnlyList<MetadataEntry>
{
    /// <summary>The ending that marks binary values.</summary>
    public const string BinarySuffix = "-bin";

    private readonly List<MetadataEntry> _entries = [];

    /// <inheritdoc/>
    public int Count => _entries.Count;

    /// <inheritdoc/>
    public MetadataEntry this[int index] => _entries[index];

    /// <summary>Adds a text entry of printable ASCII.</summary>
    public void Add(string name, string value)
    {
        var lower = CheckedName(name);
        if (lower.EndsWith(BinarySuffix, StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' names a binary value; use {nameof(AddBinary)}.", nameof(name));
        ArgumentNullException.ThrowIfNull(value);
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException($"The value of '{name}' holds something else than printable ASCII; use a name ending in '-bin' and {nameof(AddBinary)}.", nameof(value));
        _entries.Add(new MetadataEntry(lower, value));
    }

    /// <summary>Adds a binary entry; the name must end in <c>-bin</c>. The bytes are copied.</summary>
    public void AddBinary(string name, ReadOnlySpan<byte> value)
    {
        var lower = CheckedName(name);
        if (!lower.EndsWith(BinarySuffix, StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' names a text value; names of binary values end in '{BinarySuffix}'.", nameof(name));
        _entries.Add(new MetadataEntry(lower, value.ToArray()));
    }

    /// <summary>The last text value of that name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out string? value)
    {
        value = TryFind(name, out var entry) && !entry.IsBinary ? entry.Value : null;
        return value is not null;
    }

    /// <summary>The last binary value of that name.</summary>
    public bool TryGetBinary(string name, out ReadOnlyMemory<byte> value)
    {
        var found = TryFind(name, out var entry) && entry.IsBinary;
        value = found ? entry.Bytes : default;
        return found;
    }

    /// <summary>Adds a header as it came over the wire; those of HTTP and of gRPC itself are left out.</summary>
    /// <exception cref="RpcException">INTERNAL: a binary value that is not base64.</exception>
    public void AddFromWire(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        var lower = name.ToLowerInvariant(); // Kestrel and HttpClient hand well-known names out in their own spelling
        if (IsReserved(lower)) return;
        if (!lower.EndsWith(BinarySuffix, StringComparison.Ordinal))
        {
            _entries.Add(new MetadataEntry(lower, value));
            return;
        }

        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries)) // equal names may be joined on the way
        {
            if (!MetadataBase64.TryDecode(part, out var bytes))
                throw new RpcException(StatusCode.Internal, $"The binary metadata '{lower}' is not base64.");
            _entries.Add(new MetadataEntry(lower, bytes));
        }
    }

    /// <inheritdoc/>
    public IEnumerator<MetadataEntry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsReserved(string name) =>
        name.StartsWith(':')
        || name.StartsWith("grpc-", StringComparison.Ordinal)
        || name is "te" or "content-type" or "content-length" or "host" or "connection" or "transfer-encoding" or "trailer";

    private static string CheckedName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var lower = name.ToLowerInvariant();
        foreach (var c in lower)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '_' or '.'))
                throw new ArgumentException($"'{name}' is no metadata name: letters, digits, '-', '_' and '.' are allowed.", nameof(name));
        }

        return IsReserved(lower) ? throw new ArgumentException($"'{name}' belongs to HTTP or gRPC itself.", nameof(name)) : lower;
    }

    private bool TryFind(string name, out MetadataEntry entry)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            entry = _entries[i];
            if (string.Equals(entry.Name, name, StringComparison.OrdinalIgnoreCase)) return true;
        }

        entry = default;
        return false;
    }
}
