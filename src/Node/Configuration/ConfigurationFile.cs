using System.Text.Json;

namespace ReplicatedSqlite.Node;

/// <summary>Reads a node's configuration file: JSON, comments and trailing commas allowed, sections as objects.</summary>
internal static class ConfigurationFile
{
    private static readonly JsonDocumentOptions _json = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>All the settings in the file, known or not.</summary>
    public static IReadOnlyList<SettingText> Read(string path, List<SettingFault> faults)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), _json);
            var read = new List<SettingText>();
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                ReadSection(document.RootElement, "", path, read, faults);
            }
            else
            {
                faults.Add(new($"'{path}' holds {Describe(document.RootElement)}: an object of settings is wanted, e.g. {{ \"region\": \"weur\" }}."));
            }

            return read;
        }
        catch (JsonException e)
        {
            faults.Add(new($"'{path}' is no JSON: {e.Message}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add(new($"The configuration file '{path}' cannot be read: {e.Message}"));
        }

        return [];
    }

    private static void ReadSection(JsonElement section, string prefix, string path, List<SettingText> read, List<SettingFault> faults)
    {
        foreach (var property in section.EnumerateObject())
        {
            var key = prefix + property.Name;
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    ReadSection(property.Value, key + ".", path, read, faults);
                    break;
                case JsonValueKind.Null:
                    break; // as if it were not there
                case JsonValueKind.Array when property.Value.EnumerateArray().Any(static item => !IsScalar(item)):
                    faults.Add(new($"{key} ({path}) is a list of more than texts and numbers."));
                    break;
                default:
                    if (read.Exists(other => other.Key == key))
                    {
                        faults.Add(new($"{key} stands in '{path}' twice. Take one of the two out."));
                    }

                    read.Add(new(key, TextOf(property.Value), path));
                    break;
            }
        }
    }

    private static bool IsScalar(JsonElement value) => value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => string.Join(",", value.EnumerateArray().Select(TextOf)),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    private static string Describe(JsonElement value) => value.ValueKind == JsonValueKind.Array ? "a list" : "a single value";
}
