using System.Buffers;
using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>What <c>export</c> is sent, to begin it and to ask again.</summary>
internal sealed class ExportBody
{
    /// <summary>Of the export that is asked for again; <see langword="null"/> to begin one.</summary>
    public string? CurrentBookmark { get; private set; }

    /// <summary>What to leave out; <see langword="null"/> when the body does not say, as who asks again need not.</summary>
    public SqlDumpOptions? Options { get; private set; }

    /// <exception cref="ApiException">The body is not of that shape.</exception>
    public static ExportBody Read(ReadOnlySequence<byte> body) => JsonBody.ReadObject(body, new ExportBody(), ReadProperty);

    private static void ReadProperty(string name, ref Utf8JsonReader reader, ExportBody body)
    {
        switch (name)
        {
            case "output_format":
                if (JsonBody.Text(name, ref reader) is not "polling" and var other)
                {
                    throw ApiException.Invalid($"Invalid property: output_format => '{other}': polling was wanted.");
                }

                break;
            case "current_bookmark":
                body.CurrentBookmark = JsonBody.TextOrNull(name, ref reader) is { Length: > 0 } bookmark ? bookmark : null;
                break;
            case "dump_options" when reader.TokenType != JsonTokenType.Null:
                body.Options = new SqlDumpOptions();
                JsonBody.ReadObject(ref reader, body.Options, ReadOption);
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static void ReadOption(string name, ref Utf8JsonReader reader, SqlDumpOptions options)
    {
        switch (name)
        {
            case "no_schema":
                options.NoSchema = JsonBody.Flag(name, ref reader);
                break;
            case "no_data":
                options.NoData = JsonBody.Flag(name, ref reader);
                break;
            case "tables" when reader.TokenType == JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    options.Tables.Add(JsonBody.Text(name, ref reader));
                }

                break;
            default:
                reader.Skip();
                break;
        }
    }
}
