using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>The other followers make the quorum, and the leader's own journal does not keep up.</summary>
public sealed class SlowOwnJournalTests
{
    private const long Bound = 64L << 20;

    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));

    [Fact]
    public async Task What_is_kept_in_memory_for_a_slow_own_journal_is_bounded()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var followers = new ScriptedFollowers(Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await using var workers = new BlockingWorkers("test", 2, 1000);
        var context = new PrimaryContext
        {
            Self = new NodeRecord("node", "here", new Uri("http://localhost:1"), new Uri("http://localhost:2"), followers.Journal),
            Control = null!, // nobody is asked
            OwnFollower = followers,
            Followers = followers,
            Writers = workers,
            Readers = workers,
            IdleCheckpoints = new(TimeProvider.System),
            FolderOf = _ => "",
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
        };
        var start = new LeaderStart(_database, new Promise(1, 7), followers.Journal, new FollowerSet(followers.Members, 2), null);
        await using var leadership = new Leadership(start, context, static (_, _, _) => Task.FromResult<DurableBase?>(null));
        var log = new LogBuilder(_database, 65536);
        var adoption = await leadership.RecoverAsync(cancellation).WaitAsync(PrimaryFixture.Patience, cancellation);
        await leadership.OpenAsync(log.OpenEpoch(1, followerSets: adoption.Sets.Encode()), cancellation).WaitAsync(PrimaryFixture.Patience, cancellation);
        var heard = new Heard();
        leadership.Observe(heard);

        followers.IsOwnSilent = true;
        long unkept = 0;
        var told = 0L; // bytes behind the own journal's end that were told as confirmed
        while (unkept < Bound * 3 / 2)
        {
            var entry = log.Append(pages: 14);
            leadership.Append(entry);
            unkept += entry.Encoded.Length;
            await PrimaryFixture.UntilAsync(() => leadership.Positions.Confirmed == entry.End, "the others have it");
            told = heard.Confirmed == entry.End ? unkept : told;
        }

        Assert.InRange(told, Bound / 2, Bound);
        Assert.True(heard.Confirmed < leadership.Positions.Confirmed);
        followers.IsOwnSilent = false;
        followers.AnswerOwn();
        await PrimaryFixture.UntilAsync(() => heard.Confirmed == log.End, "everything that is confirmed is told");
    }

    private sealed class Heard : IDurableLogObserver
    {
        private readonly Lock _gate = new();
        private Position _confirmed;

        public Position Confirmed
        {
            get
            {
                lock (_gate)
                {
                    return _confirmed;
                }
            }
        }

        public void OnConfirmed(Position position)
        {
            lock (_gate)
            {
                _confirmed = position > _confirmed ? position : _confirmed;
            }
        }

        public void OnAvailability()
        {
            // Not asked for here.
        }

        public void OnLost(Exception reason) => throw reason;
    }

    /// <summary>Three followers that take everything at once, the leader's own as long as it is not silent.</summary>
    private sealed class ScriptedFollowers(params Guid[] members) : IFollowerLinks, IOwnFollower
    {
        private readonly MemoryLog _own = new();
        private readonly Lock _gate = new();
        private Link? _ownLink;

        public IReadOnlyList<Guid> Members => members;

        public Guid Journal => members[0];

        public bool IsOwnSilent { get; set; }

        public ILogView LogOf(DatabaseId database) => _own;

        public IReadOnlyList<Entry> Read(DatabaseId database, Position after, long maxBytes)
        {
            lock (_gate)
            {
                return _own.Read(after, 4);
            }
        }

        public Task BeginAtAsync(DatabaseId database, Position position) => throw new NotSupportedException();

        public (ImmutableArray<KnownSets> Sets, Promise Promised) StateOf(DatabaseId database) => ([], Promise.None);

        public Task<ProbeAnswer?> ProbeAsync(DatabaseId database, Guid journal, ulong activation, CancellationToken cancellationToken) => Task.FromResult<ProbeAnswer?>(null);

        public void AnswerOwn() => _ownLink!.Acknowledge();

        public IFollowerLink Open(DatabaseId database, Guid journal, Promise promise, IFollowerObserver observer)
        {
            var link = new Link(this, journal == Journal, promise, observer);
            _ownLink = journal == Journal ? link : _ownLink;
            observer.Connected();
            return link;
        }

        private sealed class Link(ScriptedFollowers owner, bool isOwn, Promise promise, IFollowerObserver observer) : IFollowerLink
        {
            private Position _last;

            public void Send(LeaderMessage message)
            {
                switch (message)
                {
                    case Seal:
                        observer.Received(new Promised(promise, default, default, default, null));
                        break;
                    case Append append:
                        Take(append);
                        break;
                    case Heartbeat heartbeat:
                        observer.Received(new HeartbeatAcked(promise, heartbeat.SentAt));
                        break;
                }
            }

            public void Acknowledge() => observer.Received(new Acked(promise, _last));

            public void Reconnect()
            {
                // It is there, and only slow.
            }

            public void Release()
            {
                // Nothing is held.
            }

            public Task<ImmutableArray<Entry>> ReadAsync(Position after, Position to, int maxBytes, CancellationToken cancellationToken) => throw new NotSupportedException();

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;

            private void Take(Append append)
            {
                foreach (var entry in append.Entries)
                {
                    _last = entry.End;
                    if (isOwn)
                    {
                        lock (owner._gate)
                        {
                            owner._own.Append(entry);
                        }
                    }
                }

                if (!isOwn || !owner.IsOwnSilent)
                {
                    Acknowledge();
                }
            }
        }
    }
}
