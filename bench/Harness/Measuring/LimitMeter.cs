using System.Globalization;
using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The limits that a scenario is compared with, taken before and after it in the same run.</summary>
internal sealed class LimitMeter(ServerProcess server, BenchOptions options, LimitKind kinds, Remarks remarks)
{
    private readonly SortedDictionary<LimitKind, List<LoadResult>> _taken = [];

    /// <summary>Takes all of them once. The processors are the scenario's own again when it is done.</summary>
    public async Task MeasureAsync(CancellationToken cancellationToken)
    {
        foreach (var kind in Enum.GetValues<LimitKind>().Where(kind => kind != LimitKind.None && kinds.HasFlag(kind)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_taken.TryGetValue(kind, out var rounds))
            {
                _taken[kind] = rounds = [];
            }

            rounds.Add(await MeasureAsync(kind));
        }
    }

    /// <summary>Puts limit and ratio in where a line asks for one: of a rate the limit's rate, of a time what one call of the limit takes.</summary>
    public BenchResult Complete(BenchResult result)
    {
        if (result.Against is not { } kind || !_taken.TryGetValue(kind, out var rounds) || remarks.IsTooFar(NameOf(kind), [.. rounds.Select(round => round.Rate)]))
        {
            return result;
        }

        var rate = rounds.Select(round => round.Rate).Median();
        var limit = result.Unit == "ms" ? rounds.Select(round => round.Latency.Percentile(50) / 1e6).Median() : rate;
        return result with { Limit = limit, Ratio = result.P50 / limit };
    }

    /// <summary>A line each: both measurements, and how far apart they are.</summary>
    public IEnumerable<BenchResult> Report()
    {
        foreach (var (kind, rounds) in _taken)
        {
            var rates = rounds.Select(round => round.Rate).ToList();
            remarks.IsTooFar(NameOf(kind), rates);
            yield return new($"limit: {NameOf(kind)}", "1/s", rounds.Sum(round => round.Calls), rates.Median(), null, rates.Average(), null, null, Spread: rates.Spread());
        }
    }

    private string NameOf(LimitKind kind) => kind switch
    {
        LimitKind.Disk => DiskLimit.Name,
        LimitKind.Disks => $"{DiskLimit.Name}, 3 at once",
        LimitKind.Commits => CommitLimit.Name,
        LimitKind.Echo => string.Create(CultureInfo.InvariantCulture, $"echo 64 B, {options.Callers} callers"),
        LimitKind.EchoOfOne => "echo 64 B, 1 caller",
        _ => RoundTripLimit.Name,
    };

    private async Task<LoadResult> MeasureAsync(LimitKind kind)
    {
        switch (kind)
        {
            case LimitKind.Disk:
                return await Task.Run(() => DiskLimit.Measure(server.Folder, options.LimitTime));
            case LimitKind.Disks:
                using (var disks = new DiskProcess(server.Folder, 3))
                {
                    return await disks.RunAsync(options.LimitTime);
                }

            case LimitKind.Commits:
                return await Task.Run(() => CommitLimit.Measure(server.Folder, options.LimitTime, options.ValueBytes));
            case LimitKind.RoundTrip:
                return await Task.Run(() => RoundTripLimit.Measure(server.Network, server.Ready.Trip, options.LimitTime));
            default:
                await using (var echo = new GrpcEchoClient(server.Ready.Echo, server.Network))
                {
                    var payload = ByteString.CopyFrom(new byte[64]);
                    var callers = kind == LimitKind.Echo ? options.Callers : 1;
                    await ClosedLoop.RunAsync(server, callers, options.LimitTime / 4, _ => echo.CallAsync(payload)); // warm
                    return await ClosedLoop.RunAsync(server, callers, options.LimitTime, _ => echo.CallAsync(payload));
                }
        }
    }
}
