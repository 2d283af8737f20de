using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>Disks that fail, disks that are full, callers that fail.</summary>
public sealed class FailureTests
{
    private readonly JournalFixture _fixture = new();
    private readonly LogBuilder _log = new(JournalFixture.Database(1));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_write_or_sync_is_not_retried_and_stops_the_journal(bool isSync)
    {
        _fixture.Append(_log.OpenEpoch(1));
        var kept = _log.End;
        var (writes, syncs) = (_fixture.Disk.Writes, _fixture.Disk.Syncs);
        (_fixture.Disk.FailingSync, _fixture.Disk.FailingWrite) = isSync ? (1, 0) : (0, 1);
        var first = _fixture.Journal.AppendAsync(_log.Append());
        var second = _fixture.Journal.SetNoteAsync(_log.Database, [1]);
        Assert.False(_fixture.Journal.Flush());
        Assert.IsType<JournalFailedException>(first.Exception?.InnerException);
        Assert.IsType<JournalFailedException>(second.Exception?.InnerException);
        Assert.IsType<JournalFailedException>(_fixture.Journal.Fault);
        await Assert.ThrowsAsync<JournalFailedException>(() => _fixture.Journal.AppendAsync(_log.Append()));
        Assert.False(_fixture.Journal.Flush());
        Assert.Equal((writes + 1, syncs + (isSync ? 1 : 0)), (_fixture.Disk.Writes, _fixture.Disk.Syncs));
        Assert.Equal(kept, _fixture.Journal.LastOf(_log.Database));
        await _fixture.Journal.DisposeAsync();
        _fixture.Reopen(_ => { });
        Assert.Contains(kept, _fixture.Ends(_log.Database));

        // Whatever was read back is on the disk by now, although the pages that failed to sync look clean.
        var found = _fixture.Ends(_log.Database);
        _fixture.Reopen(disk => disk.Crash());
        Assert.Equal(found, _fixture.Ends(_log.Database));
    }

    [Fact]
    public void On_a_full_disk_entries_are_refused_until_there_is_room_and_nothing_is_lost()
    {
        _fixture.Append(_log.OpenEpoch(1));
        _fixture.Disk.FreeBytes = 0;
        var full = FillUp();
        Assert.True(full.NeededBytes > 0);
        var last = _fixture.Journal.LastOf(_log.Database);
        Assert.Null(_fixture.Journal.Fault);
        _log.GoTo(last, _log.Epochs);
        Assert.Throws<JournalFullException>(() => { _ = _fixture.Journal.AppendAsync(_log.Append()); });
        _fixture.Journal.Flush();
        _log.GoTo(last, _log.Epochs);
        Assert.Throws<JournalFullException>(() => { _ = _fixture.Journal.AppendAsync(_log.Append()); });

        _fixture.Disk.FreeBytes = long.MaxValue;
        _fixture.Journal.Flush();
        _log.GoTo(last, _log.Epochs);
        _fixture.Append(_log.Append());
        var ends = _fixture.Ends(_log.Database);
        _fixture.KillAndReopen();
        Assert.Equal(ends, _fixture.Ends(_log.Database));
    }

    [Fact]
    public void Trimming_makes_room_on_a_full_disk()
    {
        _fixture.Append(_log.OpenEpoch(1));
        _fixture.Disk.FreeBytes = 2 * JournalOptions.MinFileSizeBytes;
        FillUp();
        Assert.Equal(0, _fixture.Disk.FreeBytes);
        var last = _fixture.Journal.LastOf(_log.Database);
        _fixture.Run(_fixture.Journal.SetBaseAsync(_log.Database, last));
        _fixture.Journal.Flush();
        _log.GoTo(last, _log.Epochs);
        _fixture.Append(_log.Append(), _log.Append());
        _fixture.KillAndReopen();
        Assert.Equal(last, _fixture.Journal.FirstOf(_log.Database));
        Assert.Equal(_log.End, _fixture.Journal.LastOf(_log.Database));
    }

    [Fact]
    public void Notes_bases_and_cuts_are_told_in_order_with_the_entries_before_the_flush_is_over()
    {
        var told = new List<(string What, bool IsDurable)>();
        var journal = _fixture.Journal;
        var first = _log.OpenEpoch(1);
        var second = _log.Append();
        _fixture.Append(first, second);
        var third = _log.Append();
        _ = journal.SetNoteAsync(_log.Database, [1], fault => told.Add(("note", fault is null)));
        _ = journal.EnqueueAsync(third, (_, fault) => told.Add(("entry", fault is null)));
        _ = journal.SetBaseAsync(_log.Database, first.End, fault => told.Add(("base", fault is null)));
        _ = journal.CutToAsync(_log.Database, second.End, fault => told.Add(("cut", fault is null)));
        _ = journal.StartAtAsync(_log.Database, third.End, fault => told.Add(("start", fault is null)));
        Assert.Empty(told);
        Assert.True(journal.Flush());
        (string, bool)[] wanted = [("note", true), ("entry", true), ("base", true), ("cut", true), ("start", true)];
        Assert.Equal(wanted, told);
        _ = journal.SetBaseAsync(_log.Database, first.End, fault => told.Add(("base again", fault is null))); // does nothing
        Assert.Equal(("base again", true), told[^1]);
    }

    [Fact]
    public void A_callback_that_throws_stops_the_journal_after_everybody_was_told()
    {
        var first = _log.OpenEpoch(1);
        _ = _fixture.Journal.EnqueueAsync(first, (_, _) => throw new InvalidOperationException("careless"));
        var second = _fixture.Journal.AppendAsync(_log.Append());
        _fixture.Journal.Flush();
        Assert.True(second.IsCompletedSuccessfully);
        Assert.Contains("careless", _fixture.Journal.Fault?.InnerException?.Message, StringComparison.Ordinal);
        Assert.Throws<JournalFailedException>(() => { _ = _fixture.Journal.AppendAsync(_log.Append()); });
    }

    [Fact]
    public async Task On_its_own_thread_too_a_fault_is_told_and_the_process_lives()
    {
        var fixture = new JournalFixture { Options = new() { FileSizeBytes = 1 << 20 } };
        fixture.Reopen(disk => disk.Kill());
        await fixture.Journal.AppendAsync(_log.OpenEpoch(1));
        Assert.Throws<InvalidOperationException>(() => { fixture.Journal.Flush(); });
        fixture.Disk.Kill(); // every handle is dead from now on
        await Assert.ThrowsAsync<JournalFailedException>(() => fixture.Journal.AppendAsync(_log.Append()));
        Assert.NotNull(fixture.Journal.Fault);
        await fixture.Journal.DisposeAsync();
    }

    [Fact]
    public void An_id_that_was_never_synced_is_synced_by_the_next_opening()
    {
        for (var failing = 1; failing <= 6; failing++)
        {
            var disk = new SimulatedDisk(new Random(failing)) { FailingSync = failing };
            var options = _fixture.Options;
            try
            {
                NodeJournal.Open("/other", options, disk, new Random(1));
            }
            catch (JournalFailedException)
            {
            }

            disk.Kill();
            var journal = NodeJournal.Open("/other", options, disk, new Random(2));
            var entry = new LogBuilder(_log.Database).OpenEpoch(1);
            var appended = journal.AppendAsync(entry);
            journal.Flush();
            Assert.True(appended.IsCompletedSuccessfully);
            for (var crash = 0; crash < 5; crash++)
            {
                disk.Crash();
                var again = NodeJournal.Open("/other", options, disk, new Random(3));
                Assert.Equal((journal.Id, entry.End), (again.Id, again.LastOf(_log.Database)));
            }
        }
    }

    private JournalFullException FillUp()
    {
        while (true)
        {
            var appended = _fixture.Journal.AppendAsync(_log.Append(pages: 10));
            Assert.True(_fixture.Journal.Flush());
            if (appended.Exception is { } exception)
            {
                return Assert.IsType<JournalFullException>(exception.InnerException);
            }
        }
    }
}
