using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Simulation;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>One story: a cluster of processes of its own, clients, faults, then healing, then the checkers.</summary>
internal sealed class ChaosStory : IAsyncDisposable
{
    private const int DatabaseCount = 3;

    // Of waits that only a defect makes long, on a machine that others use too.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(100);

    private readonly ChaosOptions _options;
    private readonly Action<string> _say;
    private readonly ProcessCluster _cluster;
    private readonly List<ChaosNode> _nodes = [];
    private readonly List<ChaosDatabase> _databases = [];
    private readonly List<Finding> _findings = [];
    private readonly List<Healing> _healing = []; // by database
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Random _random;
    private SmallDisk? _disk;

    private ChaosStory(ChaosOptions options, ProcessCluster cluster, Action<string> say)
    {
        (_options, _cluster, _say) = (options, cluster, say);
        _random = new Random(options.Seed ^ 0x5eed);
        foreach (var node in cluster.Nodes)
        {
            _nodes.Add(new ChaosNode(node, FaultShim.Missing is null ? new FaultShim(node, cluster.Folder) : null, new Random(_random.Next())));
        }
    }

    /// <summary>Tells one from its beginning to its end.</summary>
    public static async Task<ChaosResult> TellAsync(ChaosOptions options, Action<string> say)
    {
        var random = new Random(options.Seed);
        var count = options.Nodes > 0 ? options.Nodes : 3 + (random.Next(4) / 2 * random.Next(1, 3)); // three in most, up to five
        var cluster = await ProcessCluster.PrepareAsync(
            count,
            (_, settings) => settings["log"] = new JsonObject { ["level"] = "information", ["format"] = "json" },
            new ReplicatedSqliteClientOptions { Channel = new() { ConnectTimeout = TimeSpan.FromSeconds(2) } },
            options.Network);
        await using var story = new ChaosStory(options, cluster, say);
        return await story.TellAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeNodesAsync(); // they hold files of the disk
        if (_disk is not null)
        {
            await _disk.DisposeAsync();
        }

        await _cluster.DisposeAsync();
        _nodes.ForEach(node => node.Dispose());
    }

    private bool CanFill => _options.FillsDisk && Environment.IsPrivilegedProcess;

    private async Task<ChaosResult> TellAsync()
    {
        var schedule = FaultSchedule.Make(_options.Seed, _nodes.Count, DatabaseCount, _options.Length, _cluster.Network.CanCut, canFill: CanFill);
        try
        {
            await StartAsync();
            await LiveThroughAsync(_options.SyncsLie ? [] : schedule);
            await CheckAsync();
        }
        catch (Exception thrown) when (thrown is not OutOfMemoryException)
        {
            _findings.Add(new(Finding.Thrown, thrown.ToString()));
        }

        Count();
        string? kept = null;
        if (_findings.Count > 0)
        {
            kept = await KeepAsync(schedule);
        }

        return new(_options.Seed, _findings, _counts, kept);
    }

    private async Task StartAsync()
    {
        if (CanFill)
        {
            _disk = await SmallDisk.MountAsync(_nodes[^1].Node.Folder);
        }

        _nodes.ForEach(node => node.Begin());
        await Task.WhenAll(_nodes.Select(node => node.Node.Process.ReadyAsync(_patience)));
        await _cluster.AuthorizeAsync();
        await _cluster.KnowEachOtherAsync();
        for (var i = 0; i < DatabaseCount; i++)
        {
            var database = new ChaosDatabase(_cluster, $"d{i}", await CreateAsync(_nodes[i].Node.Client.Admin, $"d{i}"));
            await UntilAsync(
                async () =>
                {
                    await database.At(i).ScriptAsync(ChaosDatabase.Schema, null, new() { IdempotencyKey = "schema" });
                    return true;
                },
                $"the tables of {database.Name}");
            _databases.Add(database);
        }
    }

    // A primary may be slow to come up: then it is there, and was not answered.
    private static async Task<string> CreateAsync(AdminClient admin, string name)
    {
        var id = "";
        await UntilAsync(
            async () =>
            {
                try
                {
                    id = (await admin.CreateDatabaseAsync(name)).Id;
                }
                catch (ReplicatedSqliteException refused) when (refused.Code == ErrorCodes.DatabaseExists)
                {
                    id = (await admin.GetDatabaseAsync(name)).Id;
                }

                return true;
            },
            $"the database {name}");
        return id;
    }

    private async Task LiveThroughAsync(IReadOnlyList<ScheduledFault> schedule)
    {
        using var stopping = new CancellationTokenSource();
        var clients = Enumerable.Range(0, _options.Sessions).Select(number => Task.Run(() => ClientAsync(number, new Random(_options.Seed + (number * 7919)), stopping.Token))).ToList();
        using var watching = new CancellationTokenSource();
        var watches = _nodes.Select(node => Task.Run(() => node.WatchAsync(watching.Token))).ToList();
        var nemesis = new Nemesis(_cluster, _nodes, _databases, _disk, _say);
        try
        {
            await nemesis.RunAsync(schedule);
            if (_options.SyncsLie)
            {
                await LieAsync();
            }

            await HealAsync();
        }
        finally
        {
            foreach (var (kind, count) in nemesis.Done)
            {
                _counts[$"fault {kind}"] = count;
            }

            await stopping.CancelAsync();
            await Task.WhenAll(clients).WaitAsync(_patience);
            await watching.CancelAsync();
            await Task.WhenAll(watches);
        }
    }

    private async Task ClientAsync(int number, Random random, CancellationToken stopping)
    {
        for (var session = 0; !stopping.IsCancellationRequested; session++)
        {
            var database = _databases[random.Next(_databases.Count)];
            await new ChaosSession(database, _nodes.Count, 1 + number + (session * _options.Sessions), random).RunAsync(random.Next(3, 40), stopping);
        }
    }

    // The planted fault: what is answered from here on is on no disk. The power of all goes at once.
    private async Task LieAsync()
    {
        await WriteEverywhereAsync();
        _nodes.ForEach(node => node.LetSyncsLie());
        await WriteEverywhereAsync();
        await Task.Delay(_options.Length); // clients go on meanwhile
        foreach (var node in _nodes)
        {
            Assert.True(node.TryTake());
        }

        await Task.WhenAll(_nodes.Select(node => node.Node.KillAsync()));
        foreach (var node in _nodes)
        {
            await node.CutPowerAsync(chance: 0); // nothing of it is kept
            node.Begin();
            node.Give();
        }
    }

    // Everything works again; writes are answered through every node within a while.
    private async Task HealAsync()
    {
        await Task.WhenAll(_nodes.Select(node => UntilAsync(async () => await node.Node.HealthAsync("ready") == 200, $"{node.Node.Id} is ready")));
        var healed = _databases.ConvertAll(database => database.History.Now);
        var healings = await Task.WhenAll(_databases.Select(async (database, i) =>
        {
            var wrote = await WriteEverywhereAsync(database);
            return new Healing(healed[i], wrote ? database.History.Now : -1, -1, wrote ? "" : "a write through every node was tried");
        }));
        _healing.AddRange(healings);
    }

    private async Task WriteEverywhereAsync() => await Task.WhenAll(_databases.Select(WriteEverywhereAsync));

    private async Task<bool> WriteEverywhereAsync(ChaosDatabase database)
    {
        var session = new ChaosSession(database, _nodes.Count, 900_000 + _random.Next(90_000), new Random(1));
        for (var node = 0; node < _nodes.Count; node++)
        {
            if (!await session.WriteThroughAsync(node, _patience))
            {
                return false;
            }
        }

        return true;
    }

    private async Task CheckAsync()
    {
        var checks = new List<(ChaosDatabase Database, IReadOnlyList<(string, string)> Followers)>();
        for (var i = 0; i < _databases.Count; i++)
        {
            var database = _databases[i];
            var (log, copies) = await CopiesAsync(database);
            var healing = _healing[i] with { Converged = database.History.Now };
            _findings.AddRange(StoryChecks.Check(database.History, log, copies, healing, Contradictions()).Select(finding => finding with { What = $"{database.Name}: {finding.What}" }));
            var topology = await _nodes[0].Node.Client.Admin.GetTopologyAsync(database.Name);
            checks.Add((database, [.. topology.Followers.Select(follower => _nodes.Single(node => node.Node.Id == follower.NodeId).Node).Select(node => (node.Id, Path.Combine(node.Folder, "journal")))]));
        }

        await Task.WhenAll(_nodes.Select(node => node.Node.KillAsync()));
        foreach (var (database, followers) in checks)
        {
            _findings.AddRange((await JournalChecks.CheckAsync(new DatabaseId(Guid.Parse(database.Id)), followers, database.History.Bookmarks)).Select(finding => finding with { What = $"{database.Name}: {finding.What}" }));
        }

        _findings.AddRange(_nodes.SelectMany(node => node.EndedByItself).Select(what => new Finding("NodesStay", what)));
    }

    // What every node's own copy shows in the end, at a bookmark of now.
    private async Task<(IReadOnlyList<LoggedWrite> Log, IReadOnlyList<(string Copy, int Place, IReadOnlyList<byte[]> Pages)> Copies)> CopiesAsync(ChaosDatabase database)
    {
        var bookmark = default(Bookmark);
        await UntilAsync(
            async () =>
            {
                bookmark = await _nodes[0].Node.Client.Admin.GetBookmarkAsync(database.Name);
                return true;
            },
            $"the bookmark of {database.Name}");
        List<LoggedWrite>? first = null;
        var copies = new List<(string, int, IReadOnlyList<byte[]>)>();
        foreach (var node in _nodes)
        {
            var log = new List<LoggedWrite>();
            await UntilAsync(
                async () =>
                {
                    var session = database.At(node.Node.Number).WithSession(bookmark);
                    var options = new QueryOptions { WaitTimeout = TimeSpan.FromSeconds(20), OnWaitTimeout = OnWaitTimeout.Fail };
                    var own = await session.ExecuteAsync("SELECT 1", null, options);
                    if (own.Served.Node != node.Node.Id)
                    {
                        return false; // its own copy is not there yet
                    }

                    log.Clear();
                    await foreach (var row in session.StreamAsync("SELECT place, write, row FROM log ORDER BY place", null, options))
                    {
                        log.Add(new((int)row.GetInt64(1), (int)row.GetInt64(2)));
                        Assert.Equal(log.Count, row.GetInt64(0)); // dense: nothing is ever deleted
                    }

                    return true;
                },
                $"{node.Node.Id} shows {database.Name} at {bookmark}");
            first ??= log;
            if (!first.SequenceEqual(log))
            {
                var place = first.Zip(log).TakeWhile(pair => pair.First == pair.Second).Count();
                _findings.Add(new("CopiesShowTheSame", $"{database.Name}: {_nodes[0].Node.Id} has {first.Count} rows and {node.Node.Id} {log.Count}, equal up to place {place}"));
            }

            copies.Add((node.Node.Id, log.Count, PagesOf(database.FileAt(node.Node))));
        }

        return (first!, copies);
    }

    private static List<byte[]> PagesOf(string file)
    {
        using var reader = SnapshotReader.Open(file);
        var pages = new List<byte[]>();
        while (reader.MoveNext())
        {
            pages.Add(SHA256.HashData(reader.Image));
        }

        return pages;
    }

    private IEnumerable<Contradiction> Contradictions() =>
        from node in _nodes
        from line in node.Node.Log.Split('\n')
        where NodeLogs.IsContradiction(line)
        select new Contradiction(node.Node.Id, line, 0);

    private void Count()
    {
        foreach (var history in _databases.Select(database => database.History))
        {
            Add("writes", history.Writes.Count);
            Add("writes answered", history.Writes.Count(write => write.Outcome == Outcome.Answered));
            Add("writes unknown", history.Writes.Count(write => write.Outcome == Outcome.Unknown));
            Add("writes refused or undone", history.Writes.Count(write => write.Outcome == Outcome.NothingDone));
            Add("reads answered", history.Reads.Count);
            Add("reads that must be fresh", history.Reads.Count(read => read.IsFirstPrimary));
            Add("bookmarks checked", history.Bookmarks.Count);
            foreach (var (code, count) in history.Refusals)
            {
                Add($"refusal {code}", count);
            }
        }

        Add("processes with a wrong clock", _nodes.Sum(node => node.WrongClocks));
        Add("processes with a slow disk", _nodes.Sum(node => node.SlowDisks));
        Add("pages lost at power cuts", _nodes.Sum(node => node.LostPages));
        Add("stories", 1);

        void Add(string name, long count) => _counts[name] = _counts.GetValueOrDefault(name) + count;
    }

    private async Task<string> KeepAsync(IReadOnlyList<ScheduledFault> schedule)
    {
        var folder = Path.Combine(_options.KeepIn, $"seed-{_options.Seed}");
        Directory.CreateDirectory(folder);
        await File.WriteAllLinesAsync(Path.Combine(folder, "schedule.txt"), schedule.Select(fault => fault.ToString()));
        await File.WriteAllLinesAsync(Path.Combine(folder, "findings.txt"), _findings.Select(finding => finding.ToString()));
        foreach (var node in _nodes)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, $"{node.Node.Id}.log"), node.Node.Log);
        }

        foreach (var database in _databases)
        {
            await File.WriteAllLinesAsync(
                Path.Combine(folder, $"{database.Name}.history.txt"),
                database.History.Writes.Select(write => (At: write.Begun, Text: $"{write.Begun}-{write.Ended} session {write.Session}.{write.Turn} write {write.Number} row {write.Row} key {write.Key}: {write.Outcome} place {write.At.Sequence}"))
                    .Concat(database.History.Reads.Select(read => (At: read.Begun, Text: $"{read.Begun}-{read.Ended} session {read.Session}.{read.Turn} read at {read.Where}: last {read.LastWrite}, row {read.Row} {read.RowWrite}, place {read.At.Sequence}{(read.IsFirstPrimary ? " fresh" : "")}")))
                    .OrderBy(line => line.At).Select(line => line.Text)
                    .Concat(database.History.Unexpected));
        }

        var (code, _, errors) = await RsqlProcess.RunAsync("cp", ["-a", "--sparse=always", _cluster.Folder, Path.Combine(folder, "data")]);
        return code == 0 ? folder : $"{folder} (without data folders: {errors})";
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        Exception? last = null;
        while (TimeProvider.System.GetElapsedTime(started) < _patience)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception failure) when (failure is ReplicatedSqliteException or OperationCanceledException)
            {
                last = failure;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"Not within {_patience.TotalSeconds} s: {what}. Last: {last?.Message}");
    }
}
