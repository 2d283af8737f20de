using System.Buffers;
using System.Text.Json;

namespace ReplicatedSqlite.D1Api;

/// <summary>Reads JSON objects of a known shape strictly: a name that comes twice, or text that is not valid UTF-8, is refused and not guessed at.</summary>
internal static class JsonBody
{
    private static readonly JsonReaderOptions _options = new() { MaxDepth = 16, CommentHandling = JsonCommentHandling.Disallow };

    /// <summary>Reads a property's value; on return the reader stands at the value's last token.</summary>
    public delegate void PropertyReader<T>(string name, ref Utf8JsonReader reader, T target);

    /// <summary>Reads a body that is one object. An empty one is an object without properties.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static T ReadObject<T>(ReadOnlySequence<byte> body, T target, PropertyReader<T> read)
    {
        if (IsEmpty(body))
        {
            return target;
        }

        try
        {
            var reader = new Utf8JsonReader(body, _options);
            reader.Read();
            ReadObject(ref reader, target, read);
            if (reader.Read())
            {
                throw ApiException.Invalid("The body goes on behind its JSON object.");
            }

            return target;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter for text that is not valid UTF-8, or half a surrogate pair
        {
            throw ApiException.Invalid($"The body is not valid JSON: {e.Message}");
        }
    }

    /// <summary>Reads the object at which the reader stands.</summary>
    public static void ReadObject<T>(ref Utf8JsonReader reader, T target, PropertyReader<T> read)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw ApiException.Invalid($"An object was wanted where the body has {Name(reader.TokenType)}.");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name))
            {
                throw ApiException.Invalid($"The property '{Shorten(name)}' comes twice.");
            }

            reader.Read();
            read(name, ref reader, target);
        }
    }

    /// <summary>The text at which the reader stands.</summary>
    public static string Text(string name, ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String
        ? reader.GetString()!
        : throw ApiException.Invalid($"Invalid property: {name} => a string was wanted, not {Name(reader.TokenType)}.");

    /// <summary>The text at which the reader stands, or null.</summary>
    public static string? TextOrNull(string name, ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Text(name, ref reader);

    /// <summary>The yes or no at which the reader stands; null is no.</summary>
    public static bool Flag(string name, ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        _ => throw ApiException.Invalid($"Invalid property: {name} => a boolean was wanted, not {Name(reader.TokenType)}."),
    };

    /// <summary>A token in words.</summary>
    public static string Name(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        JsonTokenType.Null => "null",
        _ => "nothing",
    };

    private static bool IsEmpty(ReadOnlySequence<byte> body)
    {
        foreach (var segment in body)
        {
            if (segment.Span.ContainsAnyExcept(" \t\r\n"u8))
            {
                return false;
            }
        }

        return true;
    }

    private static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");
}
