using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Node.Tests;

/// <summary>One sample line.</summary>
internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>The labels but one, for finding what belongs together.</summary>
    public string Key(string without) => string.Join(',', Labels.Where(label => label.Key != without).OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));
}

/// <summary>A strict reader of Prometheus's text format, version 0.0.4: whatever it does not know is an error.</summary>
internal sealed class Exposition
{
    private readonly Dictionary<string, string> _types = [];

    private Exposition()
    {
    }

    public Dictionary<string, string> Help { get; } = [];

    public IReadOnlyDictionary<string, string> Types => _types;

    public List<Sample> Samples { get; } = [];

    public static Exposition Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var parsed = new Exposition();
        string? family = null;
        var closed = new HashSet<string>();
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                var space = line.IndexOf(' ', 7);
                family = line[7..space];
                Assert.True(closed.Add(family), $"{family} comes twice.");
                parsed.Help.Add(family, Unescape(line[(space + 1)..], inQuotes: false));
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                Assert.Equal(4, words.Length);
                Assert.Equal(family, words[2]);
                Assert.Contains(words[3], new[] { "counter", "gauge", "histogram" });
                parsed._types.Add(words[2], words[3]);
            }
            else
            {
                var sample = ParseSample(line);
                var expected = parsed._types[family!] == "histogram" ? new[] { family + "_bucket", family + "_sum", family + "_count" } : [family!];
                Assert.Contains(sample.Name, expected);
                parsed.Samples.Add(sample);
            }
        }

        parsed.CheckHistograms();
        Assert.Equal(parsed.Samples.Count, parsed.Samples.Select(sample => $"{sample.Name}|{sample.Key("")}").Distinct().Count());
        return parsed;
    }

    public double Value(string name, params (string Name, string Value)[] labels) =>
        Assert.Single(Samples, sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)).Value;

    public bool Has(string name) => Samples.Exists(sample => sample.Name == name);

    // Bounds and counts grow, the last bound is infinite, and its count is the whole.
    private void CheckHistograms()
    {
        foreach (var (family, type) in _types)
        {
            if (type != "histogram")
            {
                continue;
            }

            foreach (var series in Samples.Where(sample => sample.Name == family + "_bucket").GroupBy(sample => sample.Key("le")))
            {
                var buckets = series.Select(bucket => (Bound: Number(bucket.Labels["le"]), bucket.Value)).ToList();
                for (var i = 1; i < buckets.Count; i++)
                {
                    Assert.True(buckets[i].Bound > buckets[i - 1].Bound && buckets[i].Value >= buckets[i - 1].Value, $"{family}{{{series.Key}}} is not monotone.");
                }

                Assert.Equal(double.PositiveInfinity, buckets[^1].Bound);
                Assert.Equal(buckets[^1].Value, Assert.Single(Samples, sample => sample.Name == family + "_count" && sample.Key("le") == series.Key).Value);
                Assert.Single(Samples, sample => sample.Name == family + "_sum" && sample.Key("le") == series.Key);
            }
        }
    }

    private static Sample ParseSample(string line)
    {
        var labels = new Dictionary<string, string>();
        var at = 0;
        var name = Name(line, ref at);
        if (line[at] == '{')
        {
            do
            {
                at++;
                var label = Name(line, ref at);
                Assert.Equal("=\"", line.Substring(at, 2));
                at += 2;
                var end = at;
                while (line[end] != '"')
                {
                    end += line[end] == '\\' ? 2 : 1;
                }

                labels.Add(label, Unescape(line[at..end], inQuotes: true));
                at = end + 1;
            }
            while (line[at] == ',');
            Assert.Equal('}', line[at++]);
        }

        Assert.Equal(' ', line[at++]);
        return new Sample(name, labels, Number(line[at..]));
    }

    private static string Name(string line, ref int at)
    {
        var start = at;
        while (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '_' or ':')
        {
            at++;
        }

        Assert.True(at > start && !char.IsAsciiDigit(line[start]), $"No name at {start} of: {line}");
        return line[start..at];
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static string Unescape(string text, bool inQuotes)
    {
        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            Assert.False(inQuotes && text[i] == '"');
            if (text[i] != '\\')
            {
                plain.Append(text[i]);
                continue;
            }

            plain.Append(text[++i] switch { '\\' => '\\', 'n' => '\n', '"' when inQuotes => '"', var other => throw new FormatException($"\\{other} means nothing.") });
        }

        return plain.ToString();
    }
}
