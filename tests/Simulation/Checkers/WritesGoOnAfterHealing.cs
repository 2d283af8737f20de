namespace ReplicatedSqlite.Simulation;

/// <summary>Once all faults are over, writes are answered again and all copies catch up, within a bound.</summary>
internal sealed class WritesGoOnAfterHealing : IChecker
{
    /// <summary>Microseconds from the end of the last fault to the first answer.</summary>
    public const long WriteBound = 20_000_000;

    /// <summary>And until every copy has everything.</summary>
    public const long ConvergeBound = 40_000_000;

    public string? Check(History history, Timeline timeline)
    {
        var healing = history.Healing;
        if (healing.Healed < 0)
        {
            return healing.State;
        }

        if (healing.WroteAgain < 0 || healing.WroteAgain - healing.Healed > WriteBound)
        {
            return $"all faults were over at {healing.Healed}, and no write was answered in {WriteBound / 1_000_000} s: {healing.State}";
        }

        return healing.Converged < 0 || healing.Converged - healing.Healed > ConvergeBound
            ? $"all faults were over at {healing.Healed}, and copies still differ after {ConvergeBound / 1_000_000} s: {healing.State}"
            : null;
    }
}
