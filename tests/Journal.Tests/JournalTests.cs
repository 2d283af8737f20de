using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

public sealed class JournalTests
{
    private readonly JournalFixture _fixture = new();
    private readonly LogBuilder _log = new(JournalFixture.Database(1));

    [Fact]
    public void What_was_appended_is_read_back_in_order_and_again_after_reopening()
    {
        Entry[] entries = [_log.OpenEpoch(1), .. Enumerable.Range(1, 200).Select(i => _log.Append((byte)i, pages: 1 + (i % 3)))];
        _fixture.Append(entries);
        CheckHolds(entries);
        Assert.True(_fixture.Files.Count() > 3);
        _fixture.KillAndReopen();
        CheckHolds(entries);
        Assert.Equal(_log.End, _fixture.Journal.LastOf(_log.Database));
        Assert.Equal(Position.Start, _fixture.Journal.FirstOf(_log.Database));

        var more = _log.Append();
        _fixture.Append(more);
        CheckHolds([.. entries, more]);
    }

    [Fact]
    public void Everybody_in_a_group_is_told_before_the_group_is()
    {
        var told = new List<string>();
        var journal = _fixture.Journal;
        journal.GroupTold += () => told.Add($"group, telling: {journal.IsTellingHere}");
        _ = journal.EnqueueAsync(_log.OpenEpoch(1), (_, _) => told.Add($"1, telling: {journal.IsTellingHere}"));
        _ = journal.EnqueueAsync(_log.Append(), (_, _) => told.Add($"2, telling: {journal.IsTellingHere}"));
        Assert.True(journal.Flush());
        Assert.Equal(["1, telling: True", "2, telling: True", "group, telling: False"], told);
    }

    [Fact]
    public void A_read_from_any_position_gives_what_follows_it_within_the_bytes_asked_for()
    {
        Entry[] entries = [_log.OpenEpoch(1), .. Enumerable.Range(1, 100).Select(i => _log.Append((byte)i))];
        _fixture.Append(entries);
        for (var i = 0; i < entries.Length; i++)
        {
            Assert.True(_fixture.Journal.Holds(_log.Database, entries[i].End));
            var read = _fixture.Journal.ReadFrom(_log.Database, entries[i].End, 3000);
            Assert.Equal(entries.Skip(i + 1).Take(read.Count).Select(entry => entry.End), read.Select(entry => entry.End));
            Assert.Equal(Math.Min(5, entries.Length - 1 - i), read.Count);
            Assert.Equal(Math.Min(1, entries.Length - 1 - i), _fixture.Journal.ReadFrom(_log.Database, entries[i].End, 1).Count);
        }
    }

    [Fact]
    public void A_position_with_another_hash_is_not_held_and_not_read_from()
    {
        _fixture.Append(_log.OpenEpoch(1), _log.Append(), _log.Append());
        var wrong = _log.End with { Sequence = 2, Hash = new(1, 2) };
        Assert.False(_fixture.Journal.Holds(_log.Database, wrong));
        Assert.Throws<JournalMismatchException>(() => _fixture.Journal.ReadFrom(_log.Database, wrong, 1000));
        Assert.Throws<JournalMismatchException>(() => _fixture.Journal.ReadFrom(_log.Database, _log.End with { Sequence = 9 }, 1000));
        Assert.Throws<JournalMismatchException>(() => _fixture.Journal.ReadFrom(_log.Database, _log.End with { Hash = new(1, 2) }, 1000));
    }

    [Fact]
    public void An_entry_that_does_not_follow_the_end_is_refused_with_the_end()
    {
        var first = _log.OpenEpoch(1);
        var second = _log.Append();
        var third = _log.Append();
        _ = _fixture.Journal.AppendAsync(first);
        var refused = Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.AppendAsync(third); });
        Assert.Equal(first.End, refused.Last); // with what still waits
        _fixture.Append(second, third);
        Assert.Equal(third.End, _fixture.Journal.LastOf(_log.Database));
        Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.AppendAsync(third); });
    }

    [Fact]
    public void Whatever_waits_is_made_durable_by_one_write_and_one_sync_and_told_in_order()
    {
        var logs = Enumerable.Range(1, 1000).Select(i => new LogBuilder(JournalFixture.Database(i))).ToList();
        var fixture = new JournalFixture { Options = new() { FileSizeBytes = 4 << 20, OwnThread = false } };
        fixture.Reopen(disk => disk.Kill());
        List<(DatabaseId, Position)> told = [], appended = [];
        foreach (var log in logs)
        {
            var entry = log.OpenEpoch(1);
            appended.Add((log.Database, entry.End));
            Assert.True(fixture.Journal.EnqueueAsync(entry, (end, fault) => told.Add((log.Database, fault is null ? end : default))).IsCompleted);
            Assert.Equal(Position.Start, fixture.Journal.LastOf(log.Database)); // not durable yet
        }

        // The old file of 64 KiB is full at once, and the next takes all: one write and sync for its header, one for the group, one for the spare behind it.
        var (writes, syncs) = (fixture.Disk.Writes, fixture.Disk.Syncs);
        Assert.True(fixture.Journal.Flush());
        Assert.Equal(writes + 3, fixture.Disk.Writes);
        Assert.Equal(syncs + 3, fixture.Disk.Syncs);
        Assert.Equal(appended, told);
        Assert.False(fixture.Journal.Flush());

        (writes, syncs) = (fixture.Disk.Writes, fixture.Disk.Syncs);
        logs.ForEach(log => _ = fixture.Journal.AppendAsync(log.Append()));
        Assert.True(fixture.Journal.Flush());
        Assert.Equal((writes + 1, syncs + 1), (fixture.Disk.Writes, fixture.Disk.Syncs));
        fixture.KillAndReopen();
        Assert.All(logs, log => Assert.Equal(log.End, fixture.Journal.LastOf(log.Database)));
        Assert.All(logs, log => Assert.Equal(2, fixture.Ends(log.Database).Count));
        Assert.Equal(1000, fixture.Journal.Databases.Count);
    }

    [Fact]
    public void An_entry_larger_than_a_file_gets_a_file_of_its_own_size()
    {
        Entry[] entries = [_log.OpenEpoch(1), _log.Append(1), _log.Append(2, pages: 900), _log.Append(3), _log.Append(4, pages: 300), _log.Append(5)];
        _fixture.Append(entries);
        CheckHolds(entries);
        _fixture.KillAndReopen();
        CheckHolds(entries);
    }

    [Fact]
    public async Task The_own_thread_writes_and_a_caller_over_the_bound_waits_for_room()
    {
        var fixture = new JournalFixture(ownThread: true);
        await fixture.Journal.DisposeAsync();
        fixture = new() { Options = new() { FileSizeBytes = 1 << 20, QueueEntries = 1 } };
        fixture.Reopen(disk => disk.Kill());
        var last = fixture.Journal.AppendAsync(_log.OpenEpoch(1));
        for (var i = 0; i < 500; i++)
        {
            await fixture.Journal.EnqueueAsync(_log.Append(), (_, _) => { });
        }

        await fixture.Journal.AppendAsync(_log.Append());
        await last;
        Assert.Equal(502, fixture.Ends(_log.Database).Count);
        await fixture.Journal.DisposeAsync();
        fixture.Reopen(_ => { });
        Assert.Equal(_log.End, fixture.Journal.LastOf(_log.Database));
        await fixture.Journal.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => { _ = fixture.Journal.AppendAsync(_log.Append()); });
    }

    [Fact]
    public void A_folder_in_use_is_refused()
    {
        Assert.Throws<JournalInUseException>(() => _fixture.Open());
        Assert.True(_fixture.Journal.IsNew);
        var id = _fixture.Journal.Id;
        _fixture.KillAndReopen();
        Assert.False(_fixture.Journal.IsNew);
        Assert.Equal(id, _fixture.Journal.Id);
    }

    [Fact]
    public void The_newest_note_survives()
    {
        _fixture.Run(_fixture.Journal.SetNoteAsync(_log.Database, [1, 2, 3]));
        _fixture.Append(_log.OpenEpoch(1));
        _fixture.Run(_fixture.Journal.SetNoteAsync(_log.Database, [4]));
        _fixture.KillAndReopen();
        Assert.Equal<byte>([4], _fixture.Journal.NoteOf(_log.Database).ToArray());
        Assert.Equal(0, _fixture.Journal.NoteOf(JournalFixture.Database(2)).Length);
    }

    private void CheckHolds(IEnumerable<Entry> entries)
    {
        var read = _fixture.Journal.ReadFrom(_log.Database, Position.Start, long.MaxValue);
        Assert.Equal(entries.Select(entry => entry.End), read.Select(entry => entry.End));
        Assert.All(entries.Zip(read), pair => Assert.True(pair.First.Encoded.Span.SequenceEqual(pair.Second.Encoded.Span)));
    }
}
