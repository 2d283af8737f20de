using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>A table drawn with lines. It holds a result until its end, because the widest value decides the width.</summary>
/// <remarks>At a terminal it fits: the widest columns are cut, and where even that is not enough each row is written as a list.</remarks>
internal sealed class TableResultWriter(TextWriter output, bool headers, int? terminalWidth) : ResultWriter(output)
{
    private const int LeastWidth = 8; // of a column that is cut

    private readonly List<string[][]> _rows = []; // by row and column: a value's lines
    private string[] _names = [];

    public override void Begin(ResultColumns columns)
    {
        _rows.Clear();
        _names = [.. columns.Select(column => CellText.ForTerminal(column.Name))];
    }

    public override void Write(Row row)
    {
        var cells = new string[row.FieldCount][];
        for (var i = 0; i < cells.Length; i++) cells[i] = CellText.ForTerminal(CellText.Of(row, i)).Replace("\t", "    ", StringComparison.Ordinal).Split('\n');
        _rows.Add(cells);
    }

    public override void End()
    {
        if (_rows.Count == 0) return; // as sqlite3 does
        var widths = new int[_names.Length];
        for (var i = 0; i < widths.Length; i++)
            widths[i] = Math.Max(headers ? CellText.Width(_names[i]) : 0, _rows.Max(row => row[i].Max(CellText.Width)));
        if (terminalWidth is { } available && !TryFit(widths, available - (3 * widths.Length) - 1))
        {
            WriteLists();
            _rows.Clear();
            return;
        }

        var rule = new StringBuilder("+");
        foreach (var width in widths) rule.Append('-', width + 2).Append('+');
        Output.WriteLine(rule);
        if (headers)
        {
            WriteLine(i => Cut(_names[i], widths[i]) is var name ? name.PadLeft(name.Length + ((widths[i] - CellText.Width(name)) / 2)) : "", widths);
            Output.WriteLine(rule);
        }

        foreach (var row in _rows)
        {
            var height = row.Max(lines => lines.Length);
            for (var line = 0; line < height; line++)
            {
                var at = line;
                WriteLine(i => at < row[i].Length ? Cut(row[i][at], widths[i]) : "", widths);
            }
        }

        Output.WriteLine(rule);
        _rows.Clear();
    }

    // Takes from the widest until all fit.
    private static bool TryFit(int[] widths, int available)
    {
        var over = widths.Sum() - available;
        while (over > 0)
        {
            var widest = Array.IndexOf(widths, widths.Max());
            var next = Math.Max(LeastWidth, widths.Where(width => width < widths[widest]).DefaultIfEmpty(0).Max());
            if (widths[widest] <= LeastWidth) return false;
            var cut = Math.Min(over, Math.Max(1, widths[widest] - next));
            widths[widest] -= cut;
            over -= cut;
        }

        return true;
    }

    private static string Cut(string text, int width)
    {
        if (CellText.Width(text) <= width) return text;
        var cut = new StringBuilder();
        var taken = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var wide = CellText.Width(rune.ToString());
            if (taken + wide > width - 1) break;
            taken += wide;
            cut.Append(rune);
        }

        return cut.Append('…').ToString();
    }

    private void WriteLists()
    {
        var width = _names.Max(CellText.Width);
        for (var i = 0; i < _rows.Count; i++)
        {
            Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"-- row {i + 1} --"));
            for (var column = 0; column < _names.Length; column++)
            {
                var lines = _rows[i][column];
                for (var line = 0; line < lines.Length; line++)
                {
                    var name = line == 0 ? _names[column] : "";
                    Output.WriteLine($"{new string(' ', width - CellText.Width(name))}{name} {(line == 0 ? '=' : ' ')} {lines[line]}".TrimEnd());
                }
            }
        }
    }

    private void WriteLine(Func<int, string> cell, int[] widths)
    {
        Output.Write('|');
        for (var i = 0; i < widths.Length; i++)
        {
            var text = cell(i);
            Output.Write(' ');
            Output.Write(text);
            Output.Write(new string(' ', widths[i] - CellText.Width(text) + 1));
            Output.Write('|');
        }

        Output.WriteLine();
    }
}
