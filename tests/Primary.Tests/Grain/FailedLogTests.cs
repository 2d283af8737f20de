using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class FailedLogTests
{
    private static readonly DatabaseId _database = new(new Guid(1, 2, 3, new byte[8]));
    private static readonly Entry _first = EntryBehind(Position.Start, 1);

    [Fact]
    public async Task What_the_file_shows_of_a_commit_that_the_failed_log_did_not_take_never_passes()
    {
        using var log = new ReplicatedLog(_database, new NoLog(), _first.End, TimeProvider.System, TimeProvider.System, TimeSpan.FromMilliseconds(250));
        log.Close(new IOException("lost")); // by another thread, between the commit and what follows
        Assert.True(await log.PassAsync(log.Appended)); // what was read before the commit is confirmed
        log.Append(EntryBehind(_first.End, 2));
        Assert.False(await log.PassAsync(log.Appended));
    }

    [Fact]
    public async Task What_the_file_shows_of_a_commit_that_could_not_be_captured_never_passes()
    {
        using var log = new ReplicatedLog(_database, new NoLog(), _first.End, TimeProvider.System, TimeProvider.System, TimeSpan.FromMilliseconds(250));
        log.Abandon(new IOException("no capture"));
        Assert.False(await log.PassAsync(log.Appended));
        Assert.NotNull(log.Failure);
    }

    private static Entry EntryBehind(Position predecessor, uint epoch) => EpochEntry.Create(
        new EntryHeader
        {
            Flags = EntryFlags.EpochEntry, Database = _database, Epoch = epoch, FirstSequence = predecessor.Sequence + 1, LastSequence = predecessor.Sequence + 1,
            Predecessor = predecessor, PageSizeBytes = 4096, DatabaseSizePages = 1, CommitTimeMicroseconds = 1,
        },
        predecessor == Position.Start ? EpochTable.Empty : _first.EpochTable!,
        new FollowerSets(null, new FollowerSet([new Guid(4, 5, 6, new byte[8])], 1)).Encode());

    private sealed class NoLog : IDurableLog
    {
        public string? Unavailable => null;

        public string? Trouble => null;

        public void Append(Entry entry) => throw new InvalidOperationException("It has failed.");

        public IReadOnlyList<Entry> Read(Position after, int maxBytes) => [];

        public ValueTask<bool> ProveAsync(bool keepsLease) => ValueTask.FromResult(false);

        public void Trim(Position to)
        {
        }
    }
}
