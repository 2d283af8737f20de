using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

public class FollowerNodeTests
{
    private const string Journal1 = "/journal/00000001.journal";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_leader_seals_appends_confirms_and_reads_back(bool isRemote)
    {
        await using var fixture = new FollowerFixture();
        var node = fixture.Start();
        var links = isRemote ? await fixture.RemoteAsync() : fixture.Local();
        var log = First(30);
        var leader = Leader.Connect(links, node.JournalId, One);
        await using var link = leader.Link;
        await leader.HearConnectedAsync();
        link.Send(new Seal(One));
        Assert.Equal(new Promised(One, default, default, default, null), await leader.HearAsync<Promised>());
        foreach (var entry in log)
        {
            link.Send(Append(One, entry));
        }

        await leader.HearAckAsync(One, log[^1].End);
        link.Send(new Mark(One, log[9].End));
        link.Send(new Heartbeat(One, 42));
        Assert.Equal(new HeartbeatAcked(One, 42), await leader.HearAsync<HeartbeatAcked>());
        link.Send(new Trim(One, log[4].End));
        link.Send(new Seal(One));
        Assert.Equal(new Promised(One, log[^1].End, log[4].End, log[9].End, null), await leader.HearAsync<Promised>());

        var none = CancellationToken.None;
        Assert.Equal(log[5..20].Select(entry => entry.End), (await link.ReadAsync(log[4].End, log[19].End, 1 << 20, none)).Select(entry => entry.End));
        Assert.Equal(log[4].End, (await Assert.ThrowsAsync<JournalTrimmedException>(() => link.ReadAsync(log[3].End, log[19].End, 1 << 20, none))).First);
        await Assert.ThrowsAsync<RequestException>(() => link.ReadAsync(log[7].End with { Hash = default }, log[19].End, 1 << 20, none));
        await using (var other = Leader.Connect(links, node.JournalId, Two).Link)
        {
            await Assert.ThrowsAsync<RequestException>(() => other.ReadAsync(log[4].End, log[19].End, 1 << 20, none));
        }

        Assert.Equal(new ProbeAnswer(false, One, log[^1].End), await links.ProbeAsync(Database, node.JournalId, One.Activation, none));
        Assert.Equal(new ProbeAnswer(true, One, log[^1].End), await links.ProbeAsync(Database, node.JournalId, Two.Activation, none));
        Assert.Null(await links.ProbeAsync(Database, Id(9), One.Activation, none));
        Assert.Equal(One, node.StateOf(Database).Promised);
        Assert.Empty(node.StateOf(Database).Sets);
        Assert.True(node.LogOf(Database).Holds(log[7].End));
    }

    [Fact]
    public async Task A_listener_that_throws_ends_nothing_and_hears_of_the_next_leader()
    {
        await using var fixture = new FollowerFixture();
        var node = fixture.Start();
        var heard = new TaskCompletionSource<Promise>(TaskCreationOptions.RunContinuationsAsynchronously);
        node.LeaderChanged += (_, leader, _) =>
        {
            if (leader == One)
            {
                throw new InvalidOperationException("Planted.");
            }

            heard.TrySetResult(leader);
        };
        var links = fixture.Local();
        foreach (var promise in new[] { One, Two })
        {
            var leader = Leader.Connect(links, node.JournalId, promise);
            await using var link = leader.Link;
            await leader.HearConnectedAsync();
            link.Send(new Seal(promise));
            await leader.HearAsync<Promised>();
        }

        Assert.Equal(Two, await heard.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task H1_Another_journal_than_the_one_asked_for_is_no_member(bool isRemote)
    {
        await using var fixture = new FollowerFixture();
        fixture.Start();
        var links = isRemote ? await fixture.RemoteAsync() : new FollowerLinks(fixture.Node, _ => null, "self", fixture.Time);
        if (isRemote)
        {
            var leader = Leader.Connect(links, Id(9), One);
            await using var link = leader.Link;
            Assert.Equal(One, (await leader.HearAsync<NotMember>()).Promise);
            await leader.HearDisconnectedAsync();
        }
        else
        {
            Assert.Null(fixture.Node.TryOpen(Database, Id(9), One, null!, out var reason));
            Assert.Contains(Id(9).ToString(), reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_large_entry_travels_in_parts_both_ways()
    {
        await using var fixture = new FollowerFixture { Journal = new() { FileSizeBytes = 1 << 20 } };
        var node = fixture.Start();
        var links = await fixture.RemoteAsync();
        var builder = new LogBuilder(Database, pageSizeBytes: 65_536);
        var (first, random) = (builder.OpenEpoch(1), new Random(5));
        var large = builder.Append(1, pages: 200, fillPage: random.NextBytes);
        var last = builder.Append(2);
        Assert.True(large.Encoded.Length > 3 * FollowerWire.TargetBytes);
        var leader = Leader.Connect(links, node.JournalId, One);
        await using var link = leader.Link;
        await leader.HearConnectedAsync();
        link.Send(new Append(One, Position.Start, [first, large, last]));
        await leader.HearAckAsync(One, last.End);
        var read = await link.ReadAsync(first.End, last.End, 100 << 20, CancellationToken.None);
        Assert.Equal(large.Encoded.ToArray(), read[0].Encoded.ToArray());
    }

    [Fact]
    public async Task A_failed_journal_closes_its_streams_and_is_opened_again_as_after_a_crash()
    {
        await using var fixture = new FollowerFixture();
        var node = fixture.Start();
        var leader = Leader.Connect(fixture.Local(), node.JournalId, One);
        await using var link = leader.Link;
        var log = First(3);
        await leader.HearConnectedAsync();
        link.Send(Append(One, log[..2]));
        await leader.HearAckAsync(One, log[1].End);
        fixture.Disk.FailingSync = 1;
        link.Send(Append(One, log[2]));
        await leader.HearDisconnectedAsync();
        object heard;
        do
        {
            await leader.HearConnectedAsync(); // it may come while the journal is not open yet
            link.Send(Append(One, log));
            heard = await leader.HearAsync<object>();
        }
        while (heard is not Acked);
        Assert.Equal(log[2].End, node.OpenedJournal!.LastOf(Database));
        Assert.Equal(One, FollowerNote.Decode(node.OpenedJournal!.NoteOf(Database).Span).Promise);
    }

    [Fact]
    public async Task A_full_disk_ends_the_stream_and_takes_entries_again_when_there_is_room()
    {
        await using var fixture = new FollowerFixture { Journal = new() { FileSizeBytes = 64 << 10 } };
        var node = fixture.Start();
        var builder = new LogBuilder(Database);
        var log = new List<Entry> { builder.OpenEpoch(1) };
        while (log.Count < 400)
        {
            log.Add(builder.Append(1, fillPage: new Random(log.Count).NextBytes));
        }

        var leader = Leader.Connect(fixture.Local(), node.JournalId, One);
        await using var link = leader.Link;
        await leader.HearConnectedAsync();
        fixture.Disk.FreeBytes = 0;
        link.Send(Append(One, log));
        Assert.Contains("full", await leader.HearDisconnectedAsync(), StringComparison.Ordinal);
        Assert.Null(node.Trouble);
        fixture.Disk.FreeBytes = long.MaxValue;
        while (node.OpenedJournal!.LastOf(Database) != log[^1].End)
        {
            link.Send(Append(One, log));
            await leader.HearAsync<object>();
        }
    }

    [Fact]
    public async Task Everything_acknowledged_is_there_after_a_stop_and_a_start()
    {
        var log = First(5);
        await using var fixture = new FollowerFixture();
        var node = fixture.Start();
        var leader = Leader.Connect(fixture.Local(), node.JournalId, One);
        await leader.HearConnectedAsync();
        leader.Link.Send(Append(One, log));
        await leader.HearAckAsync(One, log[^1].End);
        await leader.Link.DisposeAsync();
        await node.DisposeAsync();
        var again = fixture.Start();
        Assert.Equal(node.JournalId, again.JournalId);
        Assert.Equal(log[^1].End, again.OpenedJournal!.LastOf(Database));
        Assert.Equal(again.JournalId, fixture.Known!.Id);
        Assert.True(fixture.Known.LastGroup >= 1);
    }

    [Fact]
    public async Task H1_A_journal_that_is_older_than_the_nodes_record_of_it_is_no_member_and_the_node_starts()
    {
        await using var fixture = new FollowerFixture();
        await fixture.Start().DisposeAsync();
        fixture.Known = fixture.Known! with { LastGroup = fixture.Known.LastGroup + 1_000 };
        var record = fixture.Known;
        var node = fixture.Start();
        Assert.Equal(Guid.Empty, node.JournalId);
        Assert.Contains("older copy", node.Trouble, StringComparison.Ordinal);
        Assert.Null(node.TryOpen(Database, record.Id, One, null!, out _));
        Assert.Equal(record, fixture.Known); // what was known stays known
    }

    [Fact]
    public async Task H7_A_damaged_journal_is_no_member_and_the_node_starts()
    {
        await using var fixture = new FollowerFixture();
        var node = fixture.Start();
        var leader = Leader.Connect(fixture.Local(), node.JournalId, One);
        await leader.HearConnectedAsync();
        leader.Link.Send(Append(One, First(20)));
        await leader.HearAckAsync(One, First(20)[^1].End);
        await leader.Link.DisposeAsync();
        await node.DisposeAsync();
        fixture.Disk.FlipBit(Journal1, 8 * 800);
        Assert.Contains("damaged", fixture.Start().Trouble, StringComparison.Ordinal);
        Assert.Equal(Guid.Empty, fixture.Node.JournalId);
    }

    [Fact]
    public async Task A_record_that_is_damaged_while_the_node_runs_is_told_once_with_its_place_is_not_given_out_and_stops_no_other_database()
    {
        var told = new ToldEvents();
        await using var fixture = new FollowerFixture { Logger = told };
        var node = fixture.Start();
        var log = First(20);
        var leader = Leader.Connect(fixture.Local(), node.JournalId, One);
        await using var link = leader.Link;
        await leader.HearConnectedAsync();
        link.Send(Append(One, log));
        await leader.HearAckAsync(One, log[^1].End);
        link.Send(new Seal(One));
        await leader.HearAsync<Promised>();

        var file = fixture.Disk.Read(Journal1);
        var inEntry = file.AsSpan().IndexOf(log[9].Encoded.Span) + (log[9].Encoded.Length / 2);
        using (var disk = fixture.Disk.Open(Journal1)) // the same bytes that the node has open
        {
            disk.Write(inEntry, [new byte[] { (byte)~file[inEntry] }]);
        }

        for (var i = 0; i < 2; i++)
        {
            var refused = await Assert.ThrowsAsync<RequestException>(() => link.ReadAsync(log[4].End, log[19].End, 1 << 20, CancellationToken.None));
            Assert.Contains("00000001.journal, offset", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(5, (await link.ReadAsync(log[9].End, log[14].End, 1 << 20, CancellationToken.None)).Length); // what lies behind it is whole
        Assert.Equal([4209], told.Ids);
        Assert.Null(node.Trouble);

        var other = new LogBuilder(new(new Guid("ff112233-4455-6677-8899-aabbccddeeff")));
        var entry = other.OpenEpoch(1);
        var second = Leader.Connect(fixture.Local(), node.JournalId, One, other.Database);
        await using var secondLink = second.Link;
        await second.HearConnectedAsync();
        secondLink.Send(Append(One, entry));
        await second.HearAckAsync(One, entry.End);
    }

    [Fact]
    public async Task A_database_that_nobody_speaks_of_is_forgotten_after_its_lease_and_known_again_when_asked_for()
    {
        var time = new ManualTime();
        await using var fixture = new FollowerFixture { Time = time };
        var node = fixture.Start();
        var sink = new Sink();
        var stream = node.TryOpen(Database, node.JournalId, One, sink, out _)!.Value;
        await stream.Receive(new Heartbeat(One, 1));
        await sink.HearAsync<HeartbeatAcked>();
        stream.Close(released: false);
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, node.ActiveCount);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, node.ActiveCount);

        var second = node.TryOpen(Database, node.JournalId, new(1, 0xBB), sink, out _)!.Value;
        await second.Receive(new Heartbeat(new(1, 0xBB), 1));
        Assert.Equal(One, (await sink.HearAsync<Refused>()).Instead);
        second.Close(released: false);
    }

    [Fact]
    public async Task A_promise_that_waits_for_a_lease_is_given_by_the_clock()
    {
        var time = new ManualTime();
        await using var fixture = new FollowerFixture { Time = time };
        var node = fixture.Start();
        var (one, two) = (new Sink(), new Sink());
        var first = node.TryOpen(Database, node.JournalId, One, one, out _)!.Value;
        await first.Receive(new Heartbeat(One, 1));
        await one.HearAsync<HeartbeatAcked>();
        var second = node.TryOpen(Database, node.JournalId, Two, two, out _)!.Value;
        await second.Receive(new Seal(Two));
        time.Advance(TimeSpan.FromMilliseconds(401));
        Assert.Equal(Two, (await two.HearAsync<Promised>()).Promise);
    }

    [Fact]
    public async Task A_database_that_was_taken_out_keeps_its_promise_and_nothing_else()
    {
        var log = First(5);
        await using var fixture = new FollowerFixture();
        var node = fixture.Start();
        var leader = Leader.Connect(fixture.Local(), node.JournalId, Two);
        await leader.HearConnectedAsync();
        leader.Link.Send(Append(Two, log));
        await leader.HearAckAsync(Two, log[^1].End);
        leader.Link.Send(new Seal(Three, Deletes: true));
        await leader.HearAsync<Promised>();
        await leader.Link.DisposeAsync();
        await node.ForgetAsync(Database);
        Assert.Equal(Position.Start, node.OpenedJournal!.LastOf(Database));

        var zombie = Leader.Connect(fixture.Local(), node.JournalId, Two);
        await using var link = zombie.Link;
        object heard;
        do
        {
            await zombie.HearConnectedAsync(); // once more if the follower was just beginning anew
            link.Send(Append(Two, log));
            heard = await zombie.HearAsync<object>();
        }
        while (heard is string);
        Assert.Equal(new Refused(Two, Three, Deleted: true), heard);
    }

    [Fact]
    public async Task A_leader_that_releases_its_follower_is_not_lost_and_one_that_breaks_off_is()
    {
        var time = new ManualTime();
        await using var fixture = new FollowerFixture { Time = time };
        var node = fixture.Start();
        var links = await fixture.RemoteAsync();
        var released = await SealedAsync(Id(50));
        var broken = await SealedAsync(Id(51));
        released.Link.Release();
        await released.Link.DisposeAsync();
        time.Advance(TimeSpan.FromMilliseconds(600));
        Assert.False(node.Probe(new(Id(50)), node.JournalId, One.Activation)!.Value.HasLost);
        await broken.Link.DisposeAsync();
        for (var tries = 0; node.Probe(new(Id(51)), node.JournalId, One.Activation)?.HasLost != true; tries++)
        {
            Assert.True(tries < 10_000);
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        async Task<Leader> SealedAsync(Guid database)
        {
            var leader = Leader.Connect(links, node.JournalId, One, new DatabaseId(database));
            await leader.HearConnectedAsync();
            leader.Link.Send(new Seal(One));
            await leader.HearAsync<Promised>();
            return leader;
        }
    }

    private sealed class Sink : IFollowerSink
    {
        private readonly Leader _heard = new();

        public void Reply(FollowerMessage message) => _heard.Received(message);

        public void End(string reason) => _heard.Disconnected(reason);

        public Task<T> HearAsync<T>() => _heard.HearAsync<T>();
    }
}
