using System.Buffers;

namespace ReplicatedSqlite.Cli;

/// <summary>Comma-separated values as in RFC 4180. NULL is an empty field, an empty text a pair of quotes.</summary>
internal sealed class CsvResultWriter(TextWriter output, bool headers) : ResultWriter(output)
{
    private const string LineEnd = "\r\n"; // RFC 4180, on every system

    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    public override void Begin(ResultColumns columns)
    {
        if (!headers) return;
        for (var i = 0; i < columns.Count; i++) WriteField(i, Quote(columns[i].Name));
        Output.Write(LineEnd);
    }

    public override void Write(Row row)
    {
        for (var i = 0; i < row.FieldCount; i++) WriteField(i, row.IsNull(i) ? "" : Quote(CellText.Of(row, i)));
        Output.Write(LineEnd);
    }

    public override void End()
    {
        // Every line is complete.
    }

    private static string Quote(string text) =>
        text.Length > 0 && text[0] != ' ' && text[^1] != ' ' && !text.AsSpan().ContainsAny(NeedQuotes)
            ? text
            : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private void WriteField(int column, string text)
    {
        if (column > 0) Output.Write(',');
        Output.Write(text);
    }
}
