using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Ready-made entries of 1, 100 and 10,000 databases through the journal alone, 64 waiting for each write: CPU and fdatasyncs a record, as ratios to one database.</summary>
internal sealed class JournalScenario : Scenario
{
    private const int Waiting = 64;
    private static readonly int[] _databases = [1, 100, 10_000];

    public override bool NeedsCluster => false;

    public override Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var records = options.Duration < TimeSpan.FromSeconds(2) ? 10_048 : 60_032; // whole groups, and a few for each of 10,000 databases
        var cpu = _databases.Select(_ => new List<double>()).ToArray();
        var syncs = new double[_databases.Length];
        for (var round = 0; round < options.Rounds; round++)
        {
            for (var i = 0; i < _databases.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (microseconds, synced) = Measure(_databases[i], records, options.Seed);
                cpu[i].Add(microseconds);
                syncs[i] = synced;
            }
        }

        // Other work on the machine only ever adds, so the least of the rounds says most.
        var results = new List<BenchResult>();
        for (var i = 0; i < _databases.Length; i++)
        {
            var name = $"{_databases[i]} databases";
            results.Add(new($"CPU a record, {name}", "us", records * options.Rounds, cpu[i].Min(), null, cpu[i].Average(), cpu[0].Min(), cpu[i].Min() / cpu[0].Min()));
            results.Add(new($"fdatasyncs a record, {name}", "", records * options.Rounds, syncs[i], null, syncs[i], syncs[0], syncs[i] / syncs[0]));
        }

        return Task.FromResult<IReadOnlyList<BenchResult>>(results);
    }

    private static (double CpuMicroseconds, double Syncs) Measure(int databases, int records, int seed)
    {
        var folder = Directory.CreateTempSubdirectory("rs-journal-");
        try
        {
            var disk = new CountingDisk();
            var journal = NodeJournal.Open(folder.FullName, new() { OwnThread = false }, disk, new Random(seed));
            var ends = new Position[databases];
            var first = Make(ends, databases, seed, isFirst: true);
            var entries = Make(ends, records, seed, isFirst: false);
            Write(journal, first);
            GC.Collect();
            var (cpuBefore, syncsBefore) = (CpuMeter.Read().CpuMicroseconds, disk.Syncs);
            Write(journal, entries);
            var (cpu, syncs) = (CpuMeter.Read().CpuMicroseconds - cpuBefore, disk.Syncs - syncsBefore);
            if (journal.LastOf(entries[^1].Database) != entries[^1].End)
            {
                throw new BenchException("The journal does not hold what was written.");
            }

            journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return (cpu / entries.Count, (double)syncs / entries.Count);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Write(NodeJournal journal, List<Entry> entries)
    {
        Exception? failed = null;
        for (var i = 0; i < entries.Count;)
        {
            for (var end = Math.Min(entries.Count, i + Waiting); i < end; i++)
            {
                _ = journal.EnqueueAsync(entries[i], (_, fault) => failed ??= fault);
            }

            journal.Flush();
        }

        if (failed is not null)
        {
            throw new BenchException($"The journal failed: {failed.Message}");
        }
    }

    // In turns over the databases; each entry sets one page of 512 bytes.
    private static List<Entry> Make(Position[] ends, int count, int seed, bool isFirst)
    {
        var random = new Random(seed);
        var entries = new List<Entry>(count);
        for (var i = 0; i < count; i++)
        {
            var database = i % ends.Length;
            var header = new EntryHeader
            {
                Flags = isFirst ? EntryFlags.EpochEntry : EntryFlags.None,
                Database = new(new Guid(database + 1, 0, 0, new byte[8])),
                Epoch = 1,
                FirstSequence = ends[database].Sequence + 1,
                LastSequence = ends[database].Sequence + 1,
                Predecessor = ends[database],
                PageSizeBytes = 512,
                DatabaseSizePages = 100,
                CommitTimeMicroseconds = i,
            };
            Entry entry;
            if (isFirst)
            {
                entry = EpochEntry.Create(header, EpochTable.Empty);
            }
            else
            {
                var builder = new EntryBuilder(header, 1);
                random.NextBytes(builder.AddPage(1));
                entry = builder.Build();
            }

            ends[database] = entry.End;
            entries.Add(entry);
        }

        return entries;
    }
}
