using System.Globalization;

namespace ReplicatedSqlite.Node;

/// <summary>Prometheus's text format, version 0.0.4.</summary>
/// <remarks>Source: Prometheus, "Exposition formats".</remarks>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>One family; nothing if it has no series.</summary>
    public static void Write(TextWriter writer, MetricFamily family, long collection)
    {
        var hasHead = false;
        foreach (var (labels, series) in family.Series(collection).OrderBy(static pair => Text(pair.Labels), StringComparer.Ordinal))
        {
            if (!hasHead)
            {
                hasHead = true;
                WriteHead(writer, family);
            }

            if (family.Kind == MetricKind.Histogram)
            {
                WriteHistogram(writer, family, labels, series);
            }
            else
            {
                WriteSample(writer, family.Name, Text(labels), Number(series.Value));
            }
        }
    }

    private static void WriteHead(TextWriter writer, MetricFamily family)
    {
        var type = family.Kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };
        writer.Write($"# HELP {family.Name} {EscapeHelp(family.Help)}\n# TYPE {family.Name} {type}\n");
    }

    private static void WriteHistogram(TextWriter writer, MetricFamily family, in LabelSet labels, MetricSeries series)
    {
        Span<long> counts = stackalloc long[family.Bounds.Length + 1];
        var sum = series.Value; // before the counts: a sum without its count would look like an average too high
        series.Cumulate(counts);
        for (var i = 0; i < counts.Length; i++)
        {
            var bound = i < family.Bounds.Length ? Number(family.Bounds[i]) : "+Inf";
            WriteSample(writer, family.Name + "_bucket", Text(labels, $"le=\"{bound}\""), counts[i].ToString(CultureInfo.InvariantCulture));
        }

        WriteSample(writer, family.Name + "_sum", Text(labels), Number(sum));
        WriteSample(writer, family.Name + "_count", Text(labels), counts[^1].ToString(CultureInfo.InvariantCulture));
    }

    private static void WriteSample(TextWriter writer, string name, string labels, string value) => writer.Write($"{name}{labels} {value}\n");

    private static string Text(in LabelSet labels, string? last = null)
    {
        var parts = new List<string>(labels.Count + 1);
        for (var i = 0; i < labels.Count; i++)
        {
            var (name, value) = labels[i];
            parts.Add($"{MetricNames.Clean(name)}=\"{EscapeValue(value)}\"");
        }

        if (last is not null)
        {
            parts.Add(last);
        }

        return parts.Count == 0 ? "" : "{" + string.Join(',', parts) + "}";
    }

    private static string Number(double value) => double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string EscapeHelp(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string EscapeValue(string text) => EscapeHelp(text).Replace("\"", "\\\"", StringComparison.Ordinal);
}
