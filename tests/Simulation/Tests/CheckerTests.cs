using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>Each checker by itself: a good history passes, and the same one with a mistake does not.</summary>
public class CheckerTests
{
    private static readonly Guid[] _journals = [new(1, 0, 0, new byte[8]), new(2, 0, 0, new byte[8]), new(3, 0, 0, new byte[8])];
    private readonly History _history = new();

    public CheckerTests()
    {
        // Three writes, answered one after the other, and a read of each kind.
        var sets = new FollowerSets(null, FollowerSet.Majority(_journals));
        var before = Position.Start;
        for (var number = 1; number <= 3; number++)
        {
            var end = At((ulong)number);
            _history.Confirmed.Add(new(end, before, (ulong)number, [number], [number % 2], Promise(1), number * 100));
            _history.Marks.Add(new(Promise(1), end, sets, number * 100));
            _history.OnDisk.AddRange(_journals.Take(2).Select(journal => new EntryOnDisk(journal, end, (number * 100) - 10)));
            _history.Writes.Add(new() { Number = number, Session = 1, Turn = number, Row = number % 2, Key = number, Begun = (number * 100) - 50, Ended = (number * 100) + 5, Outcome = Outcome.Answered, At = end });
            before = end;
        }

        _history.Reads.Add(Read(turn: 4, lastWrite: 3, rowWrite: 3, at: At(3)));
        _history.Finals.Add(new("replica", At(3), [At(1), At(2), At(3)]));
        _history.Images.Add(new("primary", At(3), [[1, 2], [3]]));
        _history.Images.Add(new("replica", At(3), [[1, 2], [3]]));
        _history.Healing = new(1_000, 2_000, 3_000, "");
    }

    [Fact]
    public void A_good_history_passes_all_of_them() => Assert.Empty(AllCheckers.Check(_history));

    [Fact]
    public void Two_entries_confirmed_at_one_sequence_are_found()
    {
        _history.Confirmed.Add(new(At(3, hash: 99), At(2), 3, [4], [0], Promise(2), 900));
        Finds<OneConfirmedEntryPerSequence>();
    }

    [Fact]
    public void A_gap_in_the_confirmed_log_is_found()
    {
        _history.Confirmed.RemoveAt(1);
        Finds<OneConfirmedEntryPerSequence>();
    }

    [Fact]
    public void A_mark_beyond_what_a_quorum_had_before_its_promises_is_found()
    {
        _history.Promises.AddRange(_journals.Skip(1).Select(journal => new PromiseOnDisk(journal, Promise(2), 250)));
        Finds<MarksStopAtPromises>();
    }

    [Fact]
    public void A_mark_for_what_a_quorum_had_before_its_promises_is_late_and_right()
    {
        _history.Promises.AddRange(_journals.Skip(1).Select(journal => new PromiseOnDisk(journal, Promise(2), 295)));
        Assert.Null(new MarksStopAtPromises().Check(_history, new(_history)));
    }

    [Fact]
    public void An_answered_write_that_is_gone_is_found()
    {
        _history.Writes.Add(new() { Number = 4, Session = 2, Turn = 1, Row = 0, Outcome = Outcome.Answered, At = At(3) });
        Finds<AnsweredWritesSurvive>();
    }

    [Theory]
    [InlineData(Outcome.Answered)]
    [InlineData(Outcome.Unknown)]
    [InlineData(Outcome.NothingDone)]
    internal void A_write_that_is_there_twice_is_found(Outcome outcome)
    {
        _history.Confirmed.Add(new(At(4), At(3), 4, [2], [0], Promise(1), 400));
        _history.Writes[1].Outcome = outcome;
        Finds<AnsweredWritesSurvive>();
    }

    [Fact]
    public void A_write_that_failed_and_is_there_is_found()
    {
        _history.Writes[0].Outcome = Outcome.NothingDone;
        Finds<AnsweredWritesSurvive>();
    }

    [Fact]
    public void An_unknown_write_may_be_there_once() // or not at all
    {
        _history.Writes[0].Outcome = Outcome.Unknown;
        _history.Writes.Add(new() { Number = 5, Session = 2, Turn = 1, Row = 0 });
        Assert.Null(new AnsweredWritesSurvive().Check(_history, new(_history)));
    }

    [Fact]
    public void A_key_that_ran_twice_is_found()
    {
        _history.Confirmed.Add(new(At(4), At(3), 4, [2], [0], Promise(1), 400));
        Finds<KeysRunOnce>();
    }

    [Fact]
    public void A_read_of_what_was_never_confirmed_is_found()
    {
        _history.Reads.Add(Read(turn: 5, lastWrite: 9, rowWrite: 3, at: At(3)));
        Finds<NothingUnconfirmedIsSeen>();
    }

    [Fact]
    public void A_read_before_the_confirmation_is_found()
    {
        _history.Reads.Add(Read(turn: 5, lastWrite: 3, rowWrite: 3, at: At(3), ended: 290));
        Finds<NothingUnconfirmedIsSeen>();
    }

    [Fact]
    public void A_bookmark_before_the_confirmation_is_found()
    {
        _history.Reads.Add(Read(turn: 5, lastWrite: 2, rowWrite: 1, at: At(3), ended: 290));
        Finds<NothingUnconfirmedIsSeen>();
    }

    [Fact]
    public void A_read_that_misses_a_write_of_its_row_is_found()
    {
        _history.Reads.Add(Read(turn: 5, lastWrite: 3, rowWrite: 1, at: At(3)));
        Finds<ReadsSeeWholePrefixes>();
    }

    [Fact]
    public void A_bookmark_before_what_was_read_is_found()
    {
        _history.Reads.Add(Read(turn: 5, lastWrite: 3, rowWrite: 3, at: At(2)));
        Finds<ReadsSeeWholePrefixes>();
    }

    [Fact]
    public void A_session_that_reads_backwards_is_found()
    {
        _history.Reads.Add(Read(turn: 5, lastWrite: 2, rowWrite: 1, at: At(2)));
        Finds<SessionsAreSequential>();
    }

    [Fact]
    public void A_session_whose_writes_change_places_is_found()
    {
        _history.Writes.Add(new() { Number = 4, Session = 1, Turn = 0, Row = 0, Outcome = Outcome.Answered, At = At(4) });
        _history.Confirmed.Add(new(At(4), At(3), 4, [4], [0], Promise(1), 400));
        Finds<SessionsAreSequential>();
    }

    [Fact]
    public void A_first_primary_read_that_misses_an_answered_write_is_found()
    {
        _history.Reads.Add(Read(turn: 1, lastWrite: 2, rowWrite: 1, at: At(2), session: 2, begun: 310, isFirstPrimary: true));
        Finds<FirstPrimaryReadsAreFresh>();
    }

    [Fact]
    public void A_first_primary_read_that_overlaps_a_write_may_miss_it()
    {
        _history.Reads.Clear();
        _history.Reads.Add(Read(turn: 1, lastWrite: 2, rowWrite: 1, at: At(2), session: 2, begun: 304, isFirstPrimary: true));
        Assert.Empty(AllCheckers.Check(_history));
    }

    [Fact]
    public void A_confirmed_bookmark_called_abandoned_is_found()
    {
        _history.Abandoned.Add(new(At(2).ToBookmark(new DatabaseId(_journals[0])), 1, 150));
        Finds<OnlyLostBookmarksAreAbandoned>();
    }

    [Fact]
    public void Copies_that_differ_in_a_byte_are_found()
    {
        _history.Images.Add(new("third", At(3), [[1, 2], [4]]));
        Finds<CopiesAreIdentical>();
    }

    [Fact]
    public void A_copy_that_stopped_is_found()
    {
        _history.Contradictions.Add(new("replica", "its page is another one", 5));
        Finds<NothingIsContradicted>();
    }

    [Fact]
    public void A_copy_that_lacks_an_answered_write_is_found()
    {
        _history.Finals.Add(new("late", At(2), []));
        Finds<CopiesConverge>();
    }

    [Fact]
    public void A_log_with_an_entry_that_was_never_confirmed_is_found()
    {
        _history.Finals.Add(new("follower", At(3), [At(1), At(2, hash: 7), At(3)]));
        Finds<CopiesConverge>();
    }

    [Theory]
    [InlineData(-1, -1, -1)]
    [InlineData(1_000, -1, -1)]
    [InlineData(1_000, 2_000, -1)]
    [InlineData(1_000, 30_000_000, 31_000_000)]
    [InlineData(1_000, 2_000, 50_000_000)]
    public void A_cluster_that_does_not_come_back_is_found(long healed, long wroteAgain, long converged)
    {
        _history.Healing = new(healed, wroteAgain, converged, "why");
        Finds<WritesGoOnAfterHealing>();
    }

    private static Position At(ulong sequence, ulong hash = 0) => new(1, sequence, new ChainHash(((sequence + hash) << 32) | 1, sequence));

    private static Promise Promise(uint epoch) => new(epoch, epoch);

    private static ReadOperation Read(
        int turn, int lastWrite, int rowWrite, Position at, int session = 1, long begun = 400, long ended = 500, bool isFirstPrimary = false) =>
        new() { Session = session, Turn = turn, Row = 1, Where = "somewhere", Begun = begun, Ended = ended, LastWrite = lastWrite, RowWrite = rowWrite, At = at, IsFirstPrimary = isFirstPrimary };

    private void Finds<TChecker>()
        where TChecker : IChecker, new() => Assert.NotNull(new TChecker().Check(_history, new(_history)));
}
