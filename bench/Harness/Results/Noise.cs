using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What speaks against comparing a run's figures.</summary>
internal sealed class Noise
{
    private const double MostSpread = 2;
    private const double MostOthers = 0.25;

    private readonly List<string> _findings = [];

    public IReadOnlyList<string> Findings => _findings;

    /// <summary>Whether a limit moved so much between its measurements that nothing can be compared with it; says so in the report.</summary>
    public bool IsTooFar(string limit, IReadOnlyCollection<double> rates)
    {
        if (rates.Spread() <= MostSpread)
        {
            return false;
        }

        var finding = string.Create(
            CultureInfo.InvariantCulture, $"'{limit}' moved between {rates.Min():F0}/s and {rates.Max():F0}/s: too noisy to compare with it");
        if (!_findings.Contains(finding))
        {
            _findings.Add(finding);
        }

        return true;
    }

    /// <summary>Notes the processors' use by others.</summary>
    public void Others(double? share)
    {
        if (share > MostOthers)
        {
            _findings.Add(string.Create(CultureInfo.InvariantCulture, $"other processes used {share:P0} of the processors: absolute figures are too low, ratios indicative"));
        }
    }
}
