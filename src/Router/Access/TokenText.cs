using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Router;

/// <summary>A token as clients hold it: <c>rs_ID_SECRET</c>, 16 and 64 hex digits.</summary>
/// <remarks>The secret has 256 random bits, so a plain hash keeps it as well as a slow one would.</remarks>
internal sealed class TokenText
{
    public const int IdLetters = 16;
    private const int SecretBytes = 32;
    private const string Prefix = "rs_";
    private const int Letters = 3 + IdLetters + 1 + (2 * SecretBytes);

    private static readonly SearchValues<char> _hex = SearchValues.Create("0123456789abcdef");

    private readonly byte[] _secret;

    private TokenText(string id, byte[] secret)
    {
        Id = id;
        _secret = secret;
    }

    public string Id { get; }

    /// <summary>What the control plane keeps of the secret.</summary>
    public string SecretHash => Convert.ToHexStringLower(SHA256.HashData(_secret));

    /// <summary>A new one.</summary>
    public static TokenText Create() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLetters / 2)), RandomNumberGenerator.GetBytes(SecretBytes));

    public static bool IsId(ReadOnlySpan<char> text) => text.Length == IdLetters && !text.ContainsAnyExcept(_hex);

    /// <summary>The id in an id or in a whole token; what is neither stays as it is.</summary>
    public static string IdOf(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) && text.Length >= Prefix.Length + IdLetters ? text.Substring(Prefix.Length, IdLetters) : text;

    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out TokenText? token)
    {
        token = null;
        if (text.Length != Letters || !text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length + IdLetters] != '_')
        {
            return false;
        }

        var id = text.Slice(Prefix.Length, IdLetters);
        var secret = text[(Prefix.Length + IdLetters + 1)..];
        if (!IsId(id) || secret.ContainsAnyExcept(_hex))
        {
            return false;
        }

        token = new TokenText(id.ToString(), Convert.FromHexString(secret));
        return true;
    }

    /// <summary>Whether the secret is a record's. The comparison takes as long for a near miss as for a far one.</summary>
    public bool Opens(TokenRecord record)
    {
        Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> wanted = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_secret, actual);
        return Convert.FromHexString(record.SecretHash, wanted, out _, out var written) == OperationStatus.Done
            && written == wanted.Length
            && CryptographicOperations.FixedTimeEquals(actual, wanted);
    }

    /// <summary>With its secret: shown to who creates it, and to nobody else.</summary>
    public string Reveal() => $"{Prefix}{Id}_{Convert.ToHexStringLower(_secret)}";

    /// <summary>Without its secret, so that no log shows one by accident.</summary>
    public override string ToString() => $"token {Id}";
}
