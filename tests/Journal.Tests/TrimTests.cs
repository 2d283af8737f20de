using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>Bases, cuts, removals, and the files that go with them.</summary>
public sealed class TrimTests
{
    private readonly JournalFixture _fixture = new();
    private readonly LogBuilder _log = new(JournalFixture.Database(1));

    [Fact]
    public void Files_that_nobody_needs_go_and_the_log_is_read_from_its_base()
    {
        var entries = Fill(300);
        Assert.True(_fixture.Files.Count() > 3);
        _fixture.Run(_fixture.Journal.SetNoteAsync(JournalFixture.Database(2), [5]));
        var upTo = entries[^10];
        _fixture.Run(_fixture.Journal.SetBaseAsync(_log.Database, upTo));
        for (var i = 0; i < 2; i++)
        {
            Assert.InRange(_fixture.Files.Count(), 1, 3);
            Assert.Equal(upTo, _fixture.Journal.FirstOf(_log.Database));
            Assert.Equal(entries[^9..], _fixture.Ends(_log.Database));
            Assert.Equal(upTo, Assert.Throws<JournalTrimmedException>(() => _fixture.Journal.ReadFrom(_log.Database, entries[0], 1000)).First);
            Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.CutToAsync(_log.Database, entries[^12]); });
            Assert.Equal<byte>([5], _fixture.Journal.NoteOf(JournalFixture.Database(2)).ToArray());
            _fixture.KillAndReopen();
        }
    }

    [Fact]
    public void The_bytes_of_a_log_are_those_that_are_left_of_it()
    {
        var entries = Fill(300);
        var all = _fixture.Journal.BytesOf(_log.Database);
        Assert.True(all > 300 * 50);
        Assert.Equal([_log.Database], _fixture.Journal.LogsAbove(all - 1));
        Assert.Empty(_fixture.Journal.LogsAbove(all));
        _fixture.KillAndReopen();
        Assert.Equal(all, _fixture.Journal.BytesOf(_log.Database));
        _fixture.Run(_fixture.Journal.SetBaseAsync(_log.Database, entries[^100]));
        Assert.InRange(_fixture.Journal.BytesOf(_log.Database), all / 4, all / 2); // runs of up to 32 entries go as a whole
        _fixture.Run(_fixture.Journal.StartAtAsync(_log.Database, new(9, 900, new(1, 2))));
        Assert.Equal(0, _fixture.Journal.BytesOf(_log.Database));
    }

    [Fact]
    public void A_note_and_a_state_in_a_file_that_goes_are_carried_forward()
    {
        _fixture.Run(_fixture.Journal.SetNoteAsync(JournalFixture.Database(2), [5]));
        _fixture.Run(_fixture.Journal.StartAtAsync(JournalFixture.Database(3), new(4, 44, new(1, 2))));
        for (var round = 0; round < 5; round++)
        {
            var entries = Fill(150);
            _fixture.Run(_fixture.Journal.SetBaseAsync(_log.Database, entries[^1]));
            _fixture.KillAndReopen();
            Assert.DoesNotContain(1, round > 0 ? _fixture.Files : []);
            Assert.Equal<byte>([5], _fixture.Journal.NoteOf(JournalFixture.Database(2)).ToArray());
            Assert.Equal(new(4, 44, new(1, 2)), _fixture.Journal.LastOf(JournalFixture.Database(3)));
        }
    }

    [Fact]
    public void A_cut_log_goes_on_with_what_replaces_its_tail()
    {
        var entries = Fill(20);
        _fixture.Run(_fixture.Journal.CutToAsync(_log.Database, entries[11]));
        Assert.Equal(entries[..12], _fixture.Ends(_log.Database));
        _log.CutTo(entries[11]);
        _fixture.Append(_log.OpenEpoch(2), _log.Append());
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(14, _fixture.Ends(_log.Database).Count);
            Assert.False(_fixture.Journal.Holds(_log.Database, entries[12]));
            Assert.True(_fixture.Journal.Holds(_log.Database, entries[11]));
            Assert.Equal(_log.End, _fixture.Journal.LastOf(_log.Database));
            _fixture.KillAndReopen();
        }
    }

    // Bug: what was cut lay alone in a middle file; once that was gone, its later entries hid the earlier ones that are needed.
    [Fact]
    public void A_middle_file_that_goes_takes_nothing_that_is_needed_with_it()
    {
        var other = new LogBuilder(JournalFixture.Database(2));
        _fixture.Append(other.OpenEpoch(1));
        var entries = Fill(20);
        var kept = entries[^1];
        var filling = Fill(150);
        var last = _fixture.Files.Max() - 1;
        Assert.True(last > 3);
        _fixture.Append(other.Append());
        _fixture.Run(_fixture.Journal.CutToAsync(_log.Database, kept));
        _fixture.Run(_fixture.Journal.SetBaseAsync(other.Database, other.End));
        Assert.DoesNotContain(2, _fixture.Files);
        Assert.Contains(1, _fixture.Files);
        _fixture.KillAndReopen();
        Assert.Equal(entries, _fixture.Ends(_log.Database));
        Assert.False(_fixture.Journal.Holds(_log.Database, filling[^1]));
    }

    [Fact]
    public void A_removed_database_is_gone_with_its_note_and_takes_entries_only_after_a_start()
    {
        Fill(5);
        _fixture.Run(_fixture.Journal.SetNoteAsync(_log.Database, [1]));
        _fixture.Run(_fixture.Journal.RemoveAsync(_log.Database));
        for (var i = 0; i < 2; i++)
        {
            Assert.Empty(_fixture.Journal.Databases);
            Assert.Equal(Position.Start, _fixture.Journal.LastOf(_log.Database));
            Assert.Equal(0, _fixture.Journal.NoteOf(_log.Database).Length);
            Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.AppendAsync(_log.Append()); });
            Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.SetNoteAsync(_log.Database, [1]); });
            _fixture.KillAndReopen();
        }

        _fixture.Run(_fixture.Journal.StartAtAsync(_log.Database, _log.End));
        var start = _log.End;
        _fixture.Append(_log.Append(), _log.Append());
        _fixture.KillAndReopen();
        Assert.Equal((start, _log.End), (_fixture.Journal.FirstOf(_log.Database), _fixture.Journal.LastOf(_log.Database)));
        Assert.Equal(0, _fixture.Journal.NoteOf(_log.Database).Length);
        Assert.Equal(2, _fixture.Ends(_log.Database).Count);
    }

    [Fact]
    public void A_base_or_cut_beyond_what_waits_is_refused()
    {
        var entries = Fill(3);
        _ = _fixture.Journal.CutToAsync(_log.Database, entries[0]);
        Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.SetBaseAsync(_log.Database, entries[2]); });
        Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.CutToAsync(_log.Database, entries[1]); });
        _fixture.Run(_fixture.Journal.SetBaseAsync(_log.Database, entries[0]));
        Assert.Throws<JournalMismatchException>(() => { _ = _fixture.Journal.SetBaseAsync(_log.Database, _log.End with { Hash = new(9, 9) }); });
    }

    [Fact]
    public async Task Readers_beside_appends_and_trimming_see_runs_without_gaps()
    {
        var fixture = new JournalFixture { Options = new() { FileSizeBytes = JournalOptions.MinFileSizeBytes, QueueEntries = 50 } };
        fixture.Reopen(disk => disk.Kill());
        await fixture.Journal.AppendAsync(_log.OpenEpoch(1));
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            long read = 0;
            while (!stop.IsCancellationRequested)
            {
                var from = fixture.Journal.FirstOf(_log.Database);
                try
                {
                    foreach (var entry in fixture.Journal.ReadFrom(_log.Database, from, 64 << 10))
                    {
                        Assert.Equal(from, entry.Predecessor);
                        from = entry.End;
                        read++;
                    }
                }
                catch (JournalTrimmedException)
                {
                    // The base moved on between the two calls.
                }
            }

            return read;
        })).ToList();
        for (var i = 0; i < 1500; i++)
        {
            await fixture.Journal.EnqueueAsync(_log.Append((byte)i), (_, _) => { });
            if (i % 100 == 99)
            {
                await fixture.Journal.SetBaseAsync(_log.Database, fixture.Journal.LastOf(_log.Database));
            }
        }

        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(readers), read => Assert.True(read > 0));
        await fixture.Journal.DisposeAsync();
        Assert.InRange(fixture.Files.Count(), 1, 6);
    }

    private List<Position> Fill(int count)
    {
        List<Position> ends = [];
        for (var i = 0; i < count; i++)
        {
            var entry = _log.End == Position.Start ? _log.OpenEpoch(1) : _log.Append((byte)i, pages: 2);
            _fixture.Append(entry);
            ends.Add(entry.End);
        }

        return ends;
    }
}
