namespace ReplicatedSqlite.EndToEnd;

/// <summary>A node of a story: its process comes back, with another clock, whatever ended it.</summary>
internal sealed class ChaosNode(ProcessNode node, FaultShim? shim, Random random) : IDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(200);

    // Whoever does something to the process holds it.
    private readonly SemaphoreSlim _turn = new(1);

    public ProcessNode Node => node;

    /// <summary>What happened that nobody had planned.</summary>
    public List<string> EndedByItself { get; } = []; // by its watch only

    /// <summary>A disk was full, or is: it may end.</summary>
    public bool MayEnd { get; set; }

    /// <summary>How many processes ran with a clock of another rate.</summary>
    public int WrongClocks { get; private set; }

    /// <summary>How many processes ran with a slow disk.</summary>
    public int SlowDisks { get; private set; }

    /// <summary>Pages that power cuts took back.</summary>
    public long LostPages { get; private set; }

    /// <summary>Takes the node for something to be done to it, unless something is done just now.</summary>
    public bool TryTake() => _turn.Wait(0);

    /// <summary>It is done.</summary>
    public void Give() => _turn.Release();

    /// <summary>Starts the process, and waits for nothing.</summary>
    public void Begin()
    {
        var rate = random.NextDouble() < 0.4 ? 1 : 0.93 + (random.NextDouble() * 0.14); // the promise is: within a tenth of true
        var slowness = random.Next(3) switch { 0 => 0, 1 => 4, _ => 25 };
        shim?.Load(Math.Round(rate, 3), TimeSpan.FromMilliseconds(slowness));
        SlowDisks += shim is not null && slowness > 0 ? 1 : 0;
        WrongClocks += shim is not null && rate != 1 ? 1 : 0;
        node.Begin();
    }

    /// <summary>Lets what was not synced go. The process is dead.</summary>
    public async Task CutPowerAsync(int chance)
    {
        if (shim is not null)
        {
            var (reverted, _) = await shim.CutPowerAsync(chance, (chance % 3) switch { 0 => 0, 1 => 50, _ => 90 });
            LostPages += reverted;
        }
    }

    /// <summary>From now on its disk syncs nothing.</summary>
    public void LetSyncsLie() => shim!.LetSyncsLie();

    /// <summary>Starts it again when it ends by itself, as a service manager would.</summary>
    public async Task WatchAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (TryTake())
            {
                try
                {
                    if (!node.Process.IsAlive)
                    {
                        if (!MayEnd && !node.Process.Errors.Contains("address already in use", StringComparison.OrdinalIgnoreCase)) // somebody took its port meanwhile
                        {
                            EndedByItself.Add($"{node.Id} ended by itself:\n{node.Process}");
                        }

                        Begin();
                    }
                }
                finally
                {
                    Give();
                }
            }

            await Task.Delay(_pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _turn.Dispose();
}
