using System.Globalization;

namespace ReplicatedSqlite.Node;

/// <summary>What one region did in the demo's last act, with sessions and without.</summary>
internal sealed class DemoTally(string region, string role, TimeSpan heldBack)
{
    private readonly List<double> _waitsMs = [];
    private int _fresh;
    private int _forwarded;
    private int _stale;

    public bool EveryListWasFresh => _fresh == _waitsMs.Count;

    public void CountWithSession(bool isFresh, ServedBy served, TimeSpan took)
    {
        // Who answers says how long it waited itself; when that is the primary, the wait was before the copy handed the query on.
        _waitsMs.Add((served.Region == region ? served.Wait : took).TotalMilliseconds);
        _fresh += isFresh ? 1 : 0;
        _forwarded += served.Region == region ? 0 : 1;
    }

    public void CountWithoutSession(bool isFresh) => _stale += isFresh ? 0 : 1;

    /// <summary>The table, a line a region.</summary>
    public static IEnumerable<string> Table(IReadOnlyList<DemoTally> tallies)
    {
        yield return "region    copy     held back   with session: fresh   waited (median, longest)   without: stale";
        foreach (var tally in tallies)
        {
            yield return tally.Line();
        }
    }

    private string Line()
    {
        _waitsMs.Sort();
        var count = _waitsMs.Count;
        var held = heldBack > TimeSpan.Zero ? Number(heldBack.TotalMilliseconds, 0) + " ms" : "no";
        var waited = $"{Number(_waitsMs[count / 2], 1)} ms, {Number(_waitsMs[^1], 1)} ms";
        var forwarded = _forwarded > 0 ? $"   ({_forwarded} handed on to the primary)" : "";
        return $"{region,-9} {role,-8} {held,-11} {$"{_fresh} of {count}",-21} {waited,-26} {_stale} of {count}{forwarded}";
    }

    private static string Number(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);
}
