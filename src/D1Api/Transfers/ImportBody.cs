using System.Buffers;
using System.Text.Json;

namespace ReplicatedSqlite.D1Api;

/// <summary>What <c>import</c> is sent: <c>init</c> with the file's MD5, <c>ingest</c> with its name, <c>poll</c>.</summary>
internal sealed class ImportBody
{
    private const int Md5Digits = 32;

    public string Action { get; private set; } = "";

    /// <summary>MD5 of the file, 32 hex digits in lower case; empty where it is not wanted.</summary>
    public string Etag { get; private set; } = "";

    public string FileName { get; private set; } = "";

    /// <exception cref="ApiException">The body is not of that shape.</exception>
    public static ImportBody Read(ReadOnlySequence<byte> body)
    {
        var read = JsonBody.ReadObject(body, new ImportBody(), ReadProperty);
        if (read.Action is not ("init" or "ingest" or "poll"))
        {
            throw ApiException.Invalid($"Invalid property: action => '{read.Action}': init, ingest or poll was wanted.");
        }

        if (read.Action != "poll" && (read.Etag.Length != Md5Digits || !read.Etag.All(char.IsAsciiHexDigit)))
        {
            throw ApiException.Invalid($"Invalid property: etag => the MD5 of the file as {Md5Digits} hex digits was wanted.");
        }

        return read;
    }

    private static void ReadProperty(string name, ref Utf8JsonReader reader, ImportBody body)
    {
        switch (name)
        {
            case "action":
                body.Action = JsonBody.Text(name, ref reader);
                break;
            case "etag":
                body.Etag = (JsonBody.TextOrNull(name, ref reader) ?? "").Trim('"').ToLowerInvariant();
                break;
            case "filename":
                body.FileName = JsonBody.TextOrNull(name, ref reader) ?? "";
                break;
            default:
                reader.Skip();
                break;
        }
    }
}
