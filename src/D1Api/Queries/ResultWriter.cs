using System.Text.Encodings.Web;
using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Writes the results of statements as D1 does: rows as objects (<c>query</c>), or as arrays under their columns' names (<c>raw</c>).</summary>
internal readonly struct ResultWriter(ExecuteResponse response, bool raw, bool integersAsText, bool hidesServersNames = false)
{
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var result in response.Results)
        {
            json.WriteStartObject();
            json.WritePropertyName("results"u8);
            if (raw)
            {
                WriteRaw(json, result);
            }
            else
            {
                WriteObjects(json, result);
            }

            json.WriteBoolean("success"u8, true);
            json.WritePropertyName("meta"u8);
            MetaWriter.Write(json, result.Meta, response);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteRaw(Utf8JsonWriter json, Result result)
    {
        json.WriteStartObject();
        json.WriteStartArray("columns"u8);
        foreach (var column in result.Columns)
        {
            json.WriteStringValue(column.Name);
        }

        json.WriteEndArray();
        json.WriteStartArray("rows"u8);
        var cursors = Cursors(result);
        for (var row = RowsOf(result); row > 0; row--)
        {
            if (IsHidden(cursors))
            {
                continue;
            }

            json.WriteStartArray();
            for (var i = 0; i < cursors.Length; i++)
            {
                cursors[i].WriteNext(json);
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteObjects(Utf8JsonWriter json, Result result)
    {
        var names = new JsonEncodedText[result.Columns.Count];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = JsonEncodedText.Encode(result.Columns[i].Name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        }

        var order = PropertyOrder(result);
        var cursors = Cursors(result);
        json.WriteStartArray();
        for (var row = RowsOf(result); row > 0; row--)
        {
            if (IsHidden(cursors))
            {
                continue;
            }

            json.WriteStartObject();
            foreach (var column in order)
            {
                json.WritePropertyName(names[column]);
                cursors[column].WriteNext(json);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private bool IsHidden(BatchCursor[] cursors)
    {
        if (!hidesServersNames || !Array.Exists(cursors, static cursor => cursor.IsServersName))
        {
            return false;
        }

        for (var i = 0; i < cursors.Length; i++)
        {
            cursors[i].Skip();
        }

        return true;
    }

    // Of columns with one name an object keeps the last; raw keeps them all.
    private static int[] PropertyOrder(Result result)
    {
        var last = new Dictionary<string, int>(StringComparer.Ordinal); // in the order of the first of each name
        for (var i = 0; i < result.Columns.Count; i++)
        {
            last[result.Columns[i].Name] = i;
        }

        return [.. last.Values];
    }

    private BatchCursor[] Cursors(Result result)
    {
        var cursors = new BatchCursor[result.Rows?.Columns.Count ?? 0];
        for (var i = 0; i < cursors.Length; i++)
        {
            cursors[i] = new BatchCursor(result.Rows!.Columns[i], integersAsText);
        }

        return cursors;
    }

    private static uint RowsOf(Result result) => result.Rows?.RowCount ?? 0;
}
