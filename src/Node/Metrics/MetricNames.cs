using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Node;

/// <summary>Names of instruments as Prometheus wants them: <c>replicatedsqlite.quorum_wait</c> in <c>s</c> is <c>replicatedsqlite_quorum_wait_seconds</c>.</summary>
internal static class MetricNames
{
    public static string Of(Instrument instrument, MetricKind kind)
    {
        var name = Clean(instrument.Name);
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", "ms" => "_milliseconds", _ => "" };
        if (!name.EndsWith(unit, StringComparison.Ordinal))
        {
            name += unit;
        }

        return kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>A name of a metric or label: letters, digits and underscores, no digit at its head.</summary>
    public static string Clean(string name)
    {
        var clean = string.Create(name.Length, name, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(from[i]) ? from[i] : '_';
            }
        });
        return clean.Length == 0 || char.IsAsciiDigit(clean[0]) ? "_" + clean : clean;
    }
}
