using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What a run says beside its figures: what speaks against comparing them, what was left out, and what can be drawn.</summary>
internal sealed class Remarks
{
    private const double MostSpread = 2;
    private const double MostOthers = 0.25;

    private readonly List<string> _noise = [];
    private readonly List<string> _notes = [];
    private readonly List<BenchPlot> _plots = [];

    /// <summary>Why figures should not be compared.</summary>
    public IReadOnlyList<string> Noise => _noise;

    /// <summary>What was left out or is different from what one would expect.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public IReadOnlyList<BenchPlot> Plots => _plots;

    /// <summary>Whether other systems were measured too, in processes of their own.</summary>
    public bool HasPeers { get; set; }

    /// <summary>Whether a limit moved so much between its measurements that nothing can be compared with it; says so in the report.</summary>
    public bool IsTooFar(string limit, IReadOnlyCollection<double> rates)
    {
        if (rates.Spread() <= MostSpread)
        {
            return false;
        }

        Add(_noise, string.Create(CultureInfo.InvariantCulture, $"'{limit}' moved between {rates.Min():F0}/s and {rates.Max():F0}/s: too noisy to compare with it"));
        return true;
    }

    /// <summary>Leaves out of the results what is no number, because not one call ended in a round; says so in the report.</summary>
    public IReadOnlyList<BenchResult> OnlyNumbers(IEnumerable<BenchResult> results) =>
    [
        .. results.Select(result =>
        {
            var numbers = result.OnlyNumbers();
            if (numbers != result)
            {
                Add(_noise, $"not one call of '{result.Name}', or of its limit, ended in a round");
            }

            return numbers;
        }),
    ];

    /// <summary>Notes the processors' use by others.</summary>
    public void Others(double? share)
    {
        if (share > MostOthers)
        {
            Add(_noise, string.Create(CultureInfo.InvariantCulture, $"other processes used {share:P0} of the processors: absolute figures are too low, ratios indicative"));
        }
    }

    public void Note(string text) => Add(_notes, text);

    public void Plot(BenchPlot plot) => _plots.Add(plot);

    private static void Add(List<string> texts, string text)
    {
        if (!texts.Contains(text))
        {
            texts.Add(text);
        }
    }
}
