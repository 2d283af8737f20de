namespace ReplicatedSqlite.Cli;

/// <summary>A value a line, a blank line between rows.</summary>
internal sealed class LineResultWriter(TextWriter output) : ResultWriter(output)
{
    private const int LeastWidth = 5; // sqlite3's

    private string[] _names = [];
    private int _width;
    private bool _anyRow;

    public override void Begin(ResultColumns columns)
    {
        _names = [.. columns.Select(column => CellText.ForTerminal(column.Name))];
        _width = Math.Max(LeastWidth, _names.Max(name => name.Length));
    }

    public override void Write(Row row)
    {
        if (_anyRow) Output.WriteLine();
        _anyRow = true;
        for (var i = 0; i < _names.Length; i++)
        {
            Output.Write(_names[i].PadLeft(_width));
            Output.Write(" = ");
            Output.WriteLine(CellText.ForTerminal(CellText.Of(row, i)));
        }
    }

    public override void End()
    {
        // A blank line comes before the next row, if there is one.
    }
}
