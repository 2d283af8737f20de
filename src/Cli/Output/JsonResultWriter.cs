using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ReplicatedSqlite.Cli;

/// <summary>An array of objects for each result. Reals are written so that they read back the same; blobs as base64.</summary>
internal sealed class JsonResultWriter(TextWriter output) : ResultWriter(output)
{
    private string[] _names = [];
    private bool _anyRow;

    public override void Begin(ResultColumns columns)
    {
        _names = [.. columns.Select(column => Quote(column.Name))];
        _anyRow = false;
        Output.Write('[');
    }

    public override void Write(Row row)
    {
        if (_anyRow) Output.Write(",\n");
        _anyRow = true;
        Output.Write('{');
        for (var i = 0; i < _names.Length; i++)
        {
            if (i > 0) Output.Write(',');
            Output.Write(_names[i]);
            Output.Write(':');
            Output.Write(Value(row, i));
        }

        Output.Write('}');
    }

    public override void End() => Output.WriteLine(']');

    private static string Value(Row row, int column) => row.Kind(column) switch
    {
        SqlKind.Integer => row.GetInt64(column).ToString(CultureInfo.InvariantCulture),
        SqlKind.Real => Number(row.GetDouble(column)),
        SqlKind.Text => Quote(row.GetString(column)),
        SqlKind.Blob => Quote(Convert.ToBase64String(row.GetBytes(column).Span)),
        SqlKind.InvalidText => Quote(Encoding.UTF8.GetString(row.GetBytes(column).Span)),
        _ => "null",
    };

    private static string Number(double value)
    {
        if (double.IsInfinity(value)) return value > 0 ? "1e999" : "-1e999"; // JSON has no infinity; sqlite3 writes it so
        if (double.IsNaN(value)) return "null";
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0"; // still a real for readers that tell them apart
    }

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
