using System.Xml.Linq;
using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

public sealed class SvgPlotTests
{
    private static readonly XNamespace _svg = "http://www.w3.org/2000/svg";

    [Theory]
    [InlineData(PlotKind.Time)]
    [InlineData(PlotKind.Percentiles)]
    [InlineData(PlotKind.Doublings)]
    public void A_plot_has_a_line_and_a_legend_for_each_series_all_within_its_frame(PlotKind kind)
    {
        var plot = new BenchPlot("name", "A < B & C", kind, "right", "up", [new("first", [[50, 0.1], [90, 3], [99, 700]]), new("second <2>", [[50, 1], [99, 2]]), new("empty", [])]);
        var svg = XDocument.Parse(SvgPlot.Draw(plot)!).Root!;
        var lines = svg.Elements(_svg + "polyline").ToList();
        Assert.Equal(2, lines.Count);
        Assert.All(
            lines.SelectMany(line => line.Attribute("points")!.Value.Split(' ')),
            point => Assert.All(point.Split(','), number => Assert.InRange(double.Parse(number, System.Globalization.CultureInfo.InvariantCulture), 0, 760)));
        Assert.Contains(svg.Elements(_svg + "text"), text => text.Value == "second <2>");
        Assert.Contains("prefers-color-scheme: dark", svg.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void One_point_alone_is_drawn() => Assert.NotNull(SvgPlot.Draw(new("n", "t", PlotKind.Doublings, "x", "y", [new("a", [[1, 0]])])));

    [Fact]
    public void Nothing_is_drawn_of_nothing() => Assert.Null(SvgPlot.Draw(new("n", "t", PlotKind.Time, "x", "y", [])));
}
