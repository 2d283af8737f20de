using System.Diagnostics;
using System.Globalization;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>One applier, four reading threads, one sqlite3 process beside: random transactions, discards, checkpoints and restarts, for as long as asked.</summary>
public sealed class ContinuousApplyTests
{
    private static readonly TimeSpan _duration = Seeded.IsFull ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(3);
    private static readonly DatabaseId _database = new(new Guid("11111111-2222-3333-4444-555555555555"));

    [Fact]
    public void Every_read_sees_a_whole_prefix_while_transactions_are_applied() => Seeded.Run(random =>
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 512 << random.Next(4));
        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(pair.ReplicaPath));
        using var run = new Run(random, pair);
        var readers = Enumerable.Range(1, 4).Select(i => Task.Factory.StartNew(() => run.ReadInThread($"thread {i}"), TaskCreationOptions.LongRunning)).ToList();
        if (File.Exists("/usr/bin/sqlite3"))
        {
            readers.Add(Task.Factory.StartNew(() => run.ReadInProcess("/usr/bin/sqlite3"), TaskCreationOptions.LongRunning));
        }

        try
        {
            run.ApplyFor(_duration, readers);
        }
        finally
        {
            run.Stop();
        }

        Task.WaitAll([.. readers]);
        Assert.True(run.Restarts > 0, "the WAL was never restarted");
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(pair.ReplicaPath));
        TestContext.Current.SendDiagnosticMessage($"{run.Transactions} transactions, {run.Looks} looks, {run.Restarts} restarts, {run.Discards} discards");
    });

    private sealed class Run : IDisposable
    {
        private readonly Random _random;
        private readonly ReplicaPair _pair;
        private readonly LedgerWorkload _workload;
        private readonly Checkpointer _checkpointer;
        private readonly ReaderGate _gate = new();
        private readonly Queue<(long Ordinal, long Sequence)> _hidden = new();
        private long _confirming; // the ledger's step that is being confirmed, or is
        private long _confirmed;
        private int _looks;
        private volatile bool _stop;

        public Run(Random random, ReplicaPair pair)
        {
            (_random, _pair) = (random, pair);
            _workload = new(random, pair.Writer);
            pair.Applier.Confirm(pair.Ship());
            _checkpointer = Checkpointer.Open(pair.ReplicaPath, _database);
        }

        public int Restarts { get; private set; }

        public int Discards { get; private set; }

        public int Transactions { get; private set; }

        public int Looks => _looks;

        public void ApplyFor(TimeSpan duration, List<Task> readers)
        {
            var watch = Stopwatch.StartNew();
            while (watch.Elapsed < duration && !readers.Any(static reader => reader.IsFaulted))
            {
                Step();
            }

            Confirm(_hidden.Count);
            using var check = SqliteConnection.Open(_pair.ReplicaPath);
            Assert.Equal("ok", check.QueryText("PRAGMA integrity_check"));
        }

        public void Stop() => _stop = true;

        public void ReadInThread(string name)
        {
            var reader = new PrefixReader(name);
            using var connection = SqliteConnection.Open(_pair.ReplicaPath);
            using var query = connection.Prepare(PrefixReader.Query);
            while (!_stop)
            {
                _gate.Read(() =>
                {
                    var before = Volatile.Read(ref _confirmed);
                    Assert.True(query.Step());
                    var (sum, newest, count, state) = (query.GetInteger(0), query.GetInteger(1), query.GetInteger(2), query.GetInteger(3));
                    query.Reset();
                    reader.Check(before, Volatile.Read(ref _confirming), sum, newest, count, state);
                });
                if (reader.Looks % 500 == 0)
                {
                    _gate.Read(() => Assert.Equal("ok", connection.QueryText("PRAGMA integrity_check")));
                }
            }

            Interlocked.Add(ref _looks, reader.Looks);
        }

        public void ReadInProcess(string program)
        {
            var reader = new PrefixReader("process");
            var start = new ProcessStartInfo(program, [_pair.ReplicaPath]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            while (!_stop)
            {
                var before = Volatile.Read(ref _confirmed);
                process.StandardInput.WriteLine(PrefixReader.Query + ";");
                process.StandardInput.Flush();
                var line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException(process.StandardError.ReadToEnd());
                var values = line.Split('|').Select(static value => long.Parse(value, CultureInfo.InvariantCulture)).ToArray();
                reader.Check(before, Volatile.Read(ref _confirming), values[0], values[1], values[2], values[3]);
            }

            process.StandardInput.WriteLine("PRAGMA integrity_check;");
            process.StandardInput.Close();
            Assert.Equal("ok", process.StandardOutput.ReadLine());
            process.WaitForExit();
            Interlocked.Add(ref _looks, reader.Looks);
        }

        public void Dispose()
        {
            _checkpointer.Dispose();
            _gate.Dispose();
        }

        private void Step()
        {
            _workload.Step();
            Hide(_pair.Ship());
            switch (_random.Next(30))
            {
                case 0:
                    Discard();
                    break;
                case 1:
                    Confirm(_hidden.Count);
                    _ = _checkpointer.Run(Visible());
                    break;
                case 2:
                    Confirm(_hidden.Count);
                    Restart();
                    break;
                case < 20:
                    Confirm(_random.Next(_hidden.Count + 1));
                    break;
            }
        }

        private void Hide(long ordinal)
        {
            Transactions++;
            _hidden.Enqueue((ordinal, _workload.Sequence));
        }

        private void Confirm(int count)
        {
            if (count > 0)
            {
                var (ordinal, sequence) = _hidden.ElementAt(count - 1);
                Volatile.Write(ref _confirming, sequence);
                _pair.Applier.Confirm(ordinal);
                Volatile.Write(ref _confirmed, sequence);
                for (; count > 0; count--)
                {
                    _hidden.Dequeue();
                }
            }
        }

        // Some hidden ones go, and the database as it is now comes in one transaction, as after a new leader's first entries.
        private void Discard()
        {
            if (_hidden.Count == 0)
            {
                return;
            }

            Discards++;
            var kept = _hidden.Take(_random.Next(_hidden.Count)).ToList();
            _pair.Applier.DiscardAfter(_hidden.Peek().Ordinal + kept.Count - 1);
            _hidden.Clear();
            kept.ForEach(_hidden.Enqueue);
            using var snapshot = SnapshotReader.Open(_pair.PrimaryPath);
            _pair.Applier.BeginTransaction(snapshot.PageCount);
            while (snapshot.MoveNext())
            {
                _pair.Applier.WritePage(snapshot.PageNumber, snapshot.Image);
            }

            Hide(_pair.Applier.EndTransaction());
        }

        private void Restart()
        {
            // The process beside knows no gate, but its reads end; new ones find everything in the main file.
            var restarted = _checkpointer.RestartWal(Visible());
            var watch = Stopwatch.StartNew();
            for (var wait = default(SpinWait); !restarted; wait.SpinOnce())
            {
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "readers never left the WAL");
                restarted = _gate.Alone(() => _checkpointer.RestartWal(Visible()));
            }

            Assert.Equal(0, new FileInfo(WalFile.PathOf(_pair.ReplicaPath)).Length);
            Restarts++;
        }

        private Position Visible() => new(1, (ulong)Transactions, ChainHash.Zero);
    }
}
