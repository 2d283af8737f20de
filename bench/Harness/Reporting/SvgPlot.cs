using System.Globalization;
using System.Net;
using System.Text;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Draws a plot as SVG that follows the reader's light or dark setting.</summary>
internal static class SvgPlot
{
    private const int Width = 760;
    private const int Height = 420;
    private const int Left = 72;
    private const int Top = 48;
    private const int Right = 24;
    private const int Bottom = 56;
    private const int LegendLine = 20;
    private const int LegendColumns = 2;

    // Chosen to be told apart on white and on near-black, also by those who see no red or green.
    private const string Style = """
        <style>
          .page { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0; stroke-width: 1 } .axis { stroke: #59636e; stroke-width: 1 }
          text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif } .title { font-size: 15px; font-weight: 600 }
          .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
          .s0 { stroke: #0969da } .s1 { stroke: #cf5a00 } .s2 { stroke: #1a7f37 } .s3 { stroke: #8250df } .s4 { stroke: #bf3989 } .s5 { stroke: #6e7781 } .s6 { stroke: #0a7f86 } .s7 { stroke: #9a6700 }
          .f0 { fill: #0969da } .f1 { fill: #cf5a00 } .f2 { fill: #1a7f37 } .f3 { fill: #8250df } .f4 { fill: #bf3989 } .f5 { fill: #6e7781 } .f6 { fill: #0a7f86 } .f7 { fill: #9a6700 }
          @media (prefers-color-scheme: dark) {
            .page { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #262c36 } .axis { stroke: #9198a1 }
            .s0 { stroke: #58a6ff } .s1 { stroke: #ff9a4d } .s2 { stroke: #56d364 } .s3 { stroke: #bc8cff } .s4 { stroke: #f778ba } .s5 { stroke: #b1bac4 } .s6 { stroke: #39c5cf } .s7 { stroke: #e3b341 }
            .f0 { fill: #58a6ff } .f1 { fill: #ff9a4d } .f2 { fill: #56d364 } .f3 { fill: #bc8cff } .f4 { fill: #f778ba } .f5 { fill: #b1bac4 } .f6 { fill: #39c5cf } .f7 { fill: #e3b341 }
          }
        </style>
        """;

    private const int Colours = 8;

    /// <summary>The whole file.</summary>
    /// <returns><see langword="null"/>: there is no point to draw.</returns>
    public static string? Draw(BenchPlot plot)
    {
        var lines = plot.Lines.Where(static line => line.Points.Count > 0).Take(Colours).ToList();
        if (lines.Count == 0)
        {
            return null;
        }

        var height = Height + (LegendLine * ((lines.Count + LegendColumns - 1) / LegendColumns));
        var x = PlotAxis.Horizontal(plot.Kind, lines);
        var y = PlotAxis.Vertical(plot.Kind, lines);
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" role="img" aria-label="{Text(plot.Title)}">""");
        svg.AppendLine(Style);
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect class="page" width="{Width}" height="{height}" rx="6"/>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text class="ink title" x="{Left}" y="26">{Text(plot.Title)}</text>""");
        foreach (var (value, label) in y.Marks)
        {
            var at = AtY(y.PartOf(value));
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{at:F1}" y2="{at:F1}"/><text class="soft" x="{Left - 8}" y="{at + 4:F1}" text-anchor="end">{label}</text>""");
        }

        foreach (var (value, label) in x.Marks)
        {
            var at = AtX(x.PartOf(value));
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<line class="grid" x1="{at:F1}" x2="{at:F1}" y1="{Top}" y2="{Height - Bottom}"/><text class="soft" x="{at:F1}" y="{Height - Bottom + 18}" text-anchor="middle">{label}</text>""");
        }

        svg.AppendLine(CultureInfo.InvariantCulture, $"""<line class="axis" x1="{Left}" x2="{Width - Right}" y1="{Height - Bottom}" y2="{Height - Bottom}"/>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text class="soft" x="{(Left + Width - Right) / 2}" y="{Height - 16}" text-anchor="middle">{Text(plot.X)}</text>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text class="soft" transform="translate(16 {(Top + Height - Bottom) / 2}) rotate(-90)" text-anchor="middle">{Text(plot.Y)}</text>""");
        for (var i = 0; i < lines.Count; i++)
        {
            Line(svg, lines[i], i, x, y);
        }

        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private static void Line(StringBuilder svg, PlotLine line, int number, PlotAxis x, PlotAxis y)
    {
        const double Dot = 3.5;
        var points = line.Points.OrderBy(static point => point[0]).Select(point => (X: AtX(x.PartOf(point[0])), Y: AtY(y.PartOf(point[1])))).ToList();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<polyline class="line s{number}" points="{string.Join(' ', points.Select(static point => string.Create(CultureInfo.InvariantCulture, $"{point.X:F1},{point.Y:F1}")))}"/>""");
        foreach (var point in points.Count > 30 ? [] : points)
        {
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<circle class="f{number}" cx="{point.X:F1}" cy="{point.Y:F1}" r="{Dot}"/>""");
        }

        var column = (Width - Left - Right) / LegendColumns;
        var (left, top) = (Left + (number % LegendColumns * column), Height + 4 + (number / LegendColumns * LegendLine));
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect class="f{number}" x="{left}" y="{top - 9}" width="14" height="4" rx="2"/><text class="ink" x="{left + 20}" y="{top}">{Text(line.Name)}</text>""");
    }

    private static double AtX(double part) => Left + (part * (Width - Left - Right));

    private static double AtY(double part) => Height - Bottom - (part * (Height - Top - Bottom));

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
