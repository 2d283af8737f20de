using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

public sealed class PatientStoreTests
{
    private readonly MemoryStore _memory = new();
    private readonly ManualTime _time = new();
    private readonly PatientStore _store;

    public PatientStoreTests() => _store = new PatientStore(_memory, new PatientStoreOptions(), _time, new Random(1));

    [Fact]
    public async Task What_fails_for_a_while_is_tried_again()
    {
        var failures = 3;
        _memory.Fault = (_, _) => failures-- > 0 ? StoreFault.Fail : StoreFault.None;
        var put = _store.PutAsync("a", ["1"u8.ToArray()], TestContext.Current.CancellationToken);
        await AdvanceUntilAsync(put);
        Assert.True(await put);
        Assert.Equal(4, _memory.CallCount);
    }

    [Fact]
    public async Task What_goes_on_failing_is_given_up_with_the_stores_own_words()
    {
        _memory.Fault = static (_, _) => StoreFault.Fail;
        var put = _store.PutAsync("a", ["1"u8.ToArray()], TestContext.Current.CancellationToken);
        await AdvanceUntilAsync(put);
        Assert.Contains("503 for 'a'", (await Assert.ThrowsAsync<ObjectStoreException>(() => put)).Message, StringComparison.Ordinal);
        Assert.Equal(5, _memory.CallCount);
    }

    [Fact]
    public async Task A_stall_ends_after_the_patience_and_names_the_object()
    {
        _memory.Fault = static (_, _) => StoreFault.Stall;
        var read = _store.ReadAsync("a", 0, new byte[1], TestContext.Current.CancellationToken);
        await AdvanceUntilAsync(read);
        Assert.Contains("'a'", (await Assert.ThrowsAsync<ObjectStoreException>(() => read)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_object_is_not_looked_for_again()
    {
        await Assert.ThrowsAsync<ObjectMissingException>(() => _store.ReadAsync("a", 0, new byte[1], TestContext.Current.CancellationToken));
        Assert.Equal(1, _memory.CallCount);
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_there_once()
    {
        var lost = 1;
        _memory.Fault = (_, _) => lost-- > 0 ? StoreFault.FailAfterwards : StoreFault.None;
        var put = _store.PutAsync("a", ["1"u8.ToArray()], TestContext.Current.CancellationToken);
        await AdvanceUntilAsync(put);
        Assert.False(await put); // it was taken, by ourselves
        Assert.Equal("1"u8.ToArray(), _memory["a"]);
    }

    [Fact]
    public async Task A_read_that_was_given_up_and_ends_late_writes_nothing_any_more()
    {
        var deaf = new DeafStore();
        var store = new PatientStore(deaf, new PatientStoreOptions { Attempts = 1 }, _time, new Random(1));
        var target = new byte[3];
        var read = store.ReadAsync("a", 0, target, TestContext.Current.CancellationToken);
        await AdvanceUntilAsync(read);
        await Assert.ThrowsAsync<ObjectStoreException>(() => read);
        deaf.Answer.SetResult();
        await deaf.Answered.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(new byte[3], target); // it may be another's by now
    }

    private async Task AdvanceUntilAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(5)));
        }
    }

    /// <summary>Does not look at its token, and answers when it is told to.</summary>
    private sealed class DeafStore : IObjectStore
    {
        public TaskCompletionSource Answer { get; } = new(); // what waits for it runs on within the call that sets it

        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Description => "deaf";

        public async Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default)
        {
            await Answer.Task;
            target.Span.Fill(7);
            Answered.SetResult();
        }

        public Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, string after = "", CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task DeleteAsync(string name, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
