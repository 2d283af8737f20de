using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Follower.Tests;

public sealed class LinkOutboxTests : IDisposable
{
    private static readonly Promise _promise = new(3, 7);

    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly LinkOutbox _outbox;

    public LinkOutboxTests() => _outbox = new LinkOutbox(_giveUp, _time);

    [Fact]
    public async Task Of_many_marks_the_first_goes_at_once_and_then_the_newest_after_a_pause()
    {
        _outbox.Add(MarkAt(1));
        _outbox.Add(MarkAt(2));
        _outbox.Add(MarkAt(3));
        Assert.Equal(MarkAt(1), await TakeAsync());
        var next = _outbox.TakeAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(MarkAt(3), await next);
    }

    [Fact]
    public async Task Whatever_is_no_entry_finds_the_mark_before_it_said()
    {
        _outbox.Add(MarkAt(1));
        _outbox.Add(MarkAt(2));
        _outbox.Add(new Trim(_promise, PositionOf(2)));
        Assert.Equal([MarkAt(1), MarkAt(2), new Trim(_promise, PositionOf(2))], new List<LeaderMessage?> { await TakeAsync(), await TakeAsync(), await TakeAsync() });
    }

    [Fact]
    public async Task The_last_mark_goes_before_the_end()
    {
        _outbox.Add(MarkAt(1));
        _outbox.Add(MarkAt(2));
        _outbox.Complete();
        Assert.Equal([MarkAt(1), MarkAt(2), null], new List<LeaderMessage?> { await TakeAsync(), await TakeAsync(), await TakeAsync() });
    }

    [Fact]
    public async Task Whoever_speaks_to_an_idle_stream_sends_it_too()
    {
        SynchronizationContext.SetSynchronizationContext(null); // the test runner's would change threads
        var sentBy = 0;
        var sending = SendAsync();
        _outbox.Add(MarkAt(1));
        Assert.Equal(Environment.CurrentManagedThreadId, sentBy);
        await sending;

        async Task SendAsync()
        {
            await TakeAsync();
            sentBy = Environment.CurrentManagedThreadId;
        }
    }

    public void Dispose()
    {
        _outbox.End();
        _giveUp.Dispose();
    }

    private static Position PositionOf(ulong sequence) => new(3, sequence, default);

    private static Mark MarkAt(ulong sequence) => new(_promise, PositionOf(sequence));

    private async Task<LeaderMessage?> TakeAsync() => await _outbox.TakeAsync(TestContext.Current.CancellationToken);
}
