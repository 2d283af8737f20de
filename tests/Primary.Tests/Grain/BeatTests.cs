using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

public sealed class BeatTests : IDisposable
{
    private static readonly TimeSpan _idleBeat = TimeSpan.FromMilliseconds(500);

    private readonly ManualTime _time = new();
    private readonly SlowProofs _proofs = new();
    private readonly ReplicatedLog _log;

    public BeatTests() => _log = new(new DatabaseId(new Guid(1, 2, 3, new byte[8])), _proofs, Position.Start, _time, _time, _idleBeat / 2);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Subscribers_share_a_beat_and_its_proof()
    {
        var (first, second) = (new Outbox(), new Outbox());
        _log.Subscribe(Position.Start, first);
        Answer();
        Take(first);
        _log.Subscribe(Position.Start, second);
        Answer();
        Assert.Equal(2, _proofs.Asked); // the first proof goes at once
        Assert.True(Take(first) is > 0 && Take(second) is > 0);
        _time.Advance(_idleBeat);
        Answer();
        Assert.Equal(3, _proofs.Asked);
        Assert.True(Take(first) is > 0 && Take(second) is > 0);
    }

    [Fact]
    public void Followers_that_have_not_answered_are_not_asked_again_and_the_beat_goes_on()
    {
        var outbox = new Outbox();
        _log.Subscribe(Position.Start, outbox);
        var asked = _time.NowMicroseconds();
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(_idleBeat);
            Assert.Equal(0, Take(outbox));
        }

        Assert.Equal(1, _proofs.Asked);
        Answer();
        Assert.Equal(asked, Take(outbox)); // it says no more than that the leadership stood when it was asked for
        _time.Advance(_idleBeat);
        Assert.Equal(2, _proofs.Asked);
        Answer(isProven: false);
        Assert.Equal(0, Take(outbox));
        _time.Advance(_idleBeat);
        Assert.Equal(3, _proofs.Asked);
    }

    private void Answer(bool isProven = true) => _proofs.Answer.SetResult(isProven);

    // The moment that the message proves, 0 for none.
    private long Take(Outbox outbox)
    {
        var item = outbox.Take(_time.NowMicroseconds(), 0);
        Assert.Equal(OutboxItemKind.Message, item.Kind);
        return item.Message!.Batch.ProvenAt;
    }

    private sealed class SlowProofs : IDurableLog
    {
        public int Asked { get; private set; }

        public TaskCompletionSource<bool> Answer { get; private set; } = new();

        public string? Unavailable => null;

        public string? Trouble => null;

        public void Append(Entry entry) => throw new InvalidOperationException("Nothing is written here.");

        public IReadOnlyList<Entry> Read(Position after, int maxBytes) => [];

        public ValueTask<bool> ProveAsync(bool keepsLease)
        {
            Asked++;
            Answer = new();
            return new(Answer.Task);
        }

        public void Trim(Position to)
        {
        }
    }
}
