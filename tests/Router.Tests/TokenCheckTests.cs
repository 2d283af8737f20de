using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Router.Tests;

public sealed class TokenCheckTests
{
    private readonly ManualTime _time = new();
    private readonly SlowStore _store = new();

    [Fact]
    public async Task A_token_that_another_node_has_just_made_is_asked_for()
    {
        using var check = new TokenCheck(_store, _time);
        var token = TokenText.Create();
        _store.Newest = Record(token.Id);
        Assert.Null(check.Find(token));
        Assert.Same(_store.Newest, await check.FindNewestAsync(token, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Made_up_tokens_do_not_reach_the_control_plane_more_than_a_few_times_a_second()
    {
        using var check = new TokenCheck(_store, _time);
        for (var i = 0; i < 100; i++)
        {
            Assert.Null(await check.FindNewestAsync(TokenText.Create(), TestContext.Current.CancellationToken));
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(_store.Asked, 9, 11);
    }

    [Fact]
    public async Task The_times_of_use_are_told_once_a_minute_and_at_the_end()
    {
        var use = new TokenUse(_store, _time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        for (var i = 0; i < 1000; i++)
        {
            use.Note("a");
        }

        Assert.Empty(_store.Noted);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["a"], _store.Noted);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(["a"], _store.Noted); // unused
        use.Note("b");
        await use.DisposeAsync();
        Assert.Equal(["a", "b"], _store.Noted);
    }

    [Fact]
    public void A_caller_travels_to_another_node_and_back()
    {
        var (database, other) = (new DatabaseId(Guid.NewGuid()), new DatabaseId(Guid.NewGuid()));
        foreach (var caller in (Caller[])[Caller.Anonymous, new() { Right = Right.Read, TokenId = "0123456789abcdef" }, new() { Right = Right.Write, TokenId = "x" }])
        {
            Assert.Equal(caller, Caller.FromHeader(caller.ToHeader(database)));
        }

        var some = Caller.FromHeader(new Caller { Right = Right.Admin, TokenId = "x", Databases = [database, other] }.ToHeader(database))!;
        Assert.True(some.Sees(database));
        Assert.False(some.Sees(other));
        foreach (var text in (string?[])[null, "", "admin", "admin - x", "admin  *", "root - *", "Admin - *", "admin - *,admin - *", "admin - * *"])
        {
            Assert.Null(Caller.FromHeader(text));
        }
    }

    private static TokenRecord Record(string id) => new() { Id = id, Name = "n", Right = Right.Read, SecretHash = "", CreatedAt = DateTimeOffset.UnixEpoch };

    private sealed class SlowStore : ITokenStore
    {
        public TokenRecord? Newest { get; set; }

        public int Asked { get; private set; }

        public List<string> Noted { get; } = [];

        public TokenRecord? Find(string id) => null;

        public ValueTask<TokenRecord?> FindNewestAsync(string id, CancellationToken cancellationToken = default)
        {
            Asked++;
            return ValueTask.FromResult(Newest?.Id == id ? Newest : null);
        }

        public Task<IReadOnlyList<TokenRecord>> ListAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task AddAsync(TokenRecord token, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<bool> RemoveAsync(string id, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task NoteUseAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken cancellationToken = default)
        {
            Noted.AddRange(lastUsed.Keys);
            return Task.CompletedTask;
        }
    }
}
