namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What can be drawn of a run.</summary>
/// <param name="Name">Its file's, and what tells it apart from others of the same scenario.</param>
/// <param name="Title">Over it.</param>
/// <param name="Kind">How the horizontal axis is divided.</param>
/// <param name="X">What goes to the right, with its unit.</param>
/// <param name="Y">What goes up, with its unit.</param>
/// <param name="Lines">At most eight are told apart.</param>
public sealed record BenchPlot(string Name, string Title, PlotKind Kind, string X, string Y, IReadOnlyList<PlotLine> Lines);

/// <summary>One line of a plot.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="Points">Pairs, by the first of them.</param>
public sealed record PlotLine(string Name, IReadOnlyList<double[]> Points);

/// <summary>How the axes of a plot are divided.</summary>
public enum PlotKind
{
    /// <summary>Both evenly: values over time.</summary>
    Time,

    /// <summary>To the right by how rare a value is (50 %, 90 %, 99 %, …), upwards by powers of ten.</summary>
    Percentiles,

    /// <summary>To the right by doublings, upwards evenly: throughput against concurrency.</summary>
    Doublings,
}
