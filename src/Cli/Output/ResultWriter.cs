namespace ReplicatedSqlite.Cli;

/// <summary>Writes one result after the other. Statements that return no columns write nothing.</summary>
internal abstract class ResultWriter(TextWriter output)
{
    protected TextWriter Output { get; } = output;

    /// <param name="mode">How.</param>
    /// <param name="headers">With the names of columns.</param>
    /// <param name="output">Where to.</param>
    /// <param name="terminalWidth">What tables have to fit into; <see langword="null"/>: they may be as wide as they like.</param>
    public static ResultWriter Create(OutputMode mode, bool headers, TextWriter output, int? terminalWidth = null) => mode switch
    {
        OutputMode.Json => new JsonResultWriter(output),
        OutputMode.Csv => new CsvResultWriter(output, headers),
        OutputMode.Line => new LineResultWriter(output),
        _ => new TableResultWriter(output, headers, terminalWidth),
    };

    public abstract void Begin(ResultColumns columns);

    public abstract void Write(Row row);

    public abstract void End();

    /// <summary>Writes a whole result.</summary>
    public void WriteAll(ResultColumns columns, IEnumerable<Row> rows)
    {
        if (columns.Count == 0) return;
        Begin(columns);
        foreach (var row in rows) Write(row);
        End();
    }
}
