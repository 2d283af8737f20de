using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>A table drawn with lines. It holds a result until its end, because the widest value decides the width.</summary>
internal sealed class TableResultWriter(TextWriter output, bool headers) : ResultWriter(output)
{
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
            widths[i] = Math.Max(headers ? Width(_names[i]) : 0, _rows.Max(row => row[i].Max(Width)));
        var rule = new StringBuilder("+");
        foreach (var width in widths) rule.Append('-', width + 2).Append('+');
        Output.WriteLine(rule);
        if (headers)
        {
            WriteLine(i => _names[i].PadLeft(_names[i].Length + ((widths[i] - Width(_names[i])) / 2)), widths);
            Output.WriteLine(rule);
        }

        foreach (var row in _rows)
        {
            var height = row.Max(lines => lines.Length);
            for (var line = 0; line < height; line++)
            {
                var at = line;
                WriteLine(i => at < row[i].Length ? row[i][at] : "", widths);
            }
        }

        Output.WriteLine(rule);
        _rows.Clear();
    }

    private static int Width(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            width += Rune.GetUnicodeCategory(rune) switch
            {
                UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
                _ => IsWide(rune.Value) ? 2 : 1,
            };
        }

        return width;
    }

    // East Asian wide and emoji blocks: what terminals draw two cells wide. Source: Unicode, EastAsianWidth.txt, by blocks.
    private static bool IsWide(int rune) =>
        rune is (>= 0x1100 and <= 0x115f) or (>= 0x2e80 and <= 0xa4cf) or (>= 0xac00 and <= 0xd7a3) or (>= 0xf900 and <= 0xfaff)
            or (>= 0xfe30 and <= 0xfe6f) or (>= 0xff00 and <= 0xff60) or (>= 0x1f300 and <= 0x1faff) or (>= 0x20000 and <= 0x3fffd);

    private void WriteLine(Func<int, string> cell, int[] widths)
    {
        Output.Write('|');
        for (var i = 0; i < widths.Length; i++)
        {
            var text = cell(i);
            Output.Write(' ');
            Output.Write(text);
            Output.Write(new string(' ', widths[i] - Width(text) + 1));
            Output.Write('|');
        }

        Output.WriteLine();
    }
}
