using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One axis: where a value stands on it, and which values are marked.</summary>
internal sealed class PlotAxis
{
    private readonly Func<double, double> _scale;
    private readonly double _from;
    private readonly double _to;

    private PlotAxis(Func<double, double> scale, double from, double to, IReadOnlyList<(double Value, string Label)> marks)
    {
        _scale = scale;
        (_from, _to) = (scale(from), scale(to));
        Marks = marks;
    }

    public IReadOnlyList<(double Value, string Label)> Marks { get; }

    public static PlotAxis Horizontal(PlotKind kind, IReadOnlyList<PlotLine> lines)
    {
        var values = lines.SelectMany(static line => line.Points).Select(static point => point[0]).ToList();
        return kind switch
        {
            PlotKind.Percentiles => Percentiles(values.Max()),
            PlotKind.Doublings => new(Math.Log2, values.Min(), Math.Max(values.Max(), values.Min() * 2), [.. values.Distinct().Order().Select(static value => (value, Label(value)))]),
            _ => Even(Math.Min(0, values.Min()), Math.Max(1, values.Max())),
        };
    }

    public static PlotAxis Vertical(PlotKind kind, IReadOnlyList<PlotLine> lines)
    {
        var values = lines.SelectMany(static line => line.Points).Select(static point => point[1]).ToList();
        return kind == PlotKind.Percentiles ? Powers(values.Min(), values.Max()) : Even(0, values.Max());
    }

    /// <summary>0 is the axis' beginning, 1 its end.</summary>
    public double PartOf(double value) => _to <= _from ? 0.5 : Math.Clamp((_scale(value) - _from) / (_to - _from), 0, 1);

    private static PlotAxis Even(double from, double to)
    {
        const int Most = 6;
        var raw = Math.Max(to - from, 1e-9) / Most;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        var step = ((double[])[1, 2, 5, 10]).Select(factor => factor * power).First(candidate => candidate >= raw * 0.999);
        var end = Math.Ceiling(to / step - 1e-9) * step;
        return new(static value => value, from, end, [.. Enumerable.Range(0, (int)Math.Round((end - from) / step) + 1).Select(i => (from + (i * step), Label(from + (i * step))))]);
    }

    private static PlotAxis Powers(double least, double most)
    {
        var (from, to) = ((int)Math.Floor(Math.Log10(Math.Max(least, 1e-6))), (int)Math.Ceiling(Math.Log10(Math.Max(most, 1e-6)) + 1e-9));
        to = Math.Max(to, from + 1);
        return new(static value => Math.Log10(Math.Max(value, 1e-9)), Math.Pow(10, from), Math.Pow(10, to), [.. Enumerable.Range(from, to - from + 1).Select(static power => (Math.Pow(10, power), Label(Math.Pow(10, power))))]);
    }

    // Each nine takes the same room.
    private static PlotAxis Percentiles(double most)
    {
        double[] nines = [50, 90, 99, 99.9, 99.99];
        var end = nines.First(nine => nine >= most - 1e-9 || nine == nines[^1]);
        return new(static percent => -Math.Log10(1 - (percent / 100)), nines[0], Math.Max(end, nines[1]), [.. nines.TakeWhile(nine => nine <= Math.Max(end, nines[1])).Select(static nine => (nine, $"{Label(nine)} %"))]);
    }

    private static string Label(double value) => Math.Abs(value) switch
    {
        >= 10_000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1000:0.#}k"),
        _ => value.ToString("0.#####", CultureInfo.InvariantCulture),
    };
}
