using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>How much of the machine's processors others used while we measured.</summary>
internal sealed class MachineWatch
{
    private readonly (double Busy, double Total)? _before = ReadTicks();

    /// <summary>Between 0 and 1; <see langword="null"/> where the system does not tell.</summary>
    /// <param name="ownMicroseconds">CPU time that client and server used meanwhile.</param>
    public double? OthersShare(double ownMicroseconds)
    {
        if (_before is not { } before || ReadTicks() is not { } after || after.Total <= before.Total)
        {
            return null;
        }

        const double MicrosecondsPerTick = 10_000; // USER_HZ is 100 in Linux's interfaces
        var total = after.Total - before.Total;
        var own = ownMicroseconds / MicrosecondsPerTick;
        return Math.Clamp((after.Busy - before.Busy - own) / total, 0, 1);
    }

    private static (double Busy, double Total)? ReadTicks()
    {
        const string Source = "/proc/stat";
        if (!File.Exists(Source))
        {
            return null;
        }

        // cpu user nice system idle iowait irq softirq steal ...; what the host stole is busy too, as far as we are concerned.
        var ticks = File.ReadLines(Source).First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Take(8).Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return (ticks.Sum() - ticks[3] - ticks[4], ticks.Sum());
    }
}
