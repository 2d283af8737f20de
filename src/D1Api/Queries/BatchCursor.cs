using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Walks down one column of a row batch, value by value: the contract stores the k-th value of a type as the k-th of that type's vector.</summary>
internal struct BatchCursor(ColumnData data, bool integersAsText)
{
    private int _row;
    private int _integer;
    private int _real;
    private int _text;
    private int _blob;

    /// <summary>The next value is the name of something that is the server's own.</summary>
    public readonly bool IsServersName => data.Types_.Span[_row] == 3 && SchemaRows.IsServers(data.Texts[_text]);

    /// <summary>Leaves the value of the next row out.</summary>
    public void Skip()
    {
        switch (data.Types_.Span[_row++])
        {
            case 1:
                _integer++;
                break;
            case 2:
                _real++;
                break;
            case 3:
                _text++;
                break;
            case 4 or 5:
                _blob++;
                break;
        }
    }

    /// <summary>Writes the value of the next row as D1 does: BLOBs as arrays of byte values.</summary>
    public void WriteNext(Utf8JsonWriter json)
    {
        switch (data.Types_.Span[_row++])
        {
            case 1 when integersAsText:
                json.WriteStringValue(data.Integers[_integer++].ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            case 1:
                json.WriteNumberValue(data.Integers[_integer++]);
                break;
            case 2:
                WriteReal(json, data.Reals[_real++]);
                break;
            case 3:
                json.WriteStringValue(data.Texts[_text++]);
                break;
            case 4:
                json.WriteStartArray();
                foreach (var value in data.Blobs[_blob++].Span)
                {
                    json.WriteNumberValue((int)value);
                }

                json.WriteEndArray();
                break;
            case 5: // text that is not valid UTF-8: what cannot be read is replaced, as a browser would
                json.WriteStringValue(data.Blobs[_blob++].ToStringUtf8());
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    // JSON has no infinities; SQLite has no NaN.
    private static void WriteReal(Utf8JsonWriter json, double real)
    {
        if (double.IsFinite(real))
        {
            json.WriteNumberValue(real);
        }
        else
        {
            json.WriteNullValue();
        }
    }
}
