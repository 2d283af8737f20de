using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Router.Tests;

public sealed class VisibleNamesTests
{
    private readonly ManualTime _time = new();
    private readonly Catalogue _catalogue = new();
    private readonly VisibleNames _names;

    public VisibleNamesTests() => _names = new VisibleNames(_catalogue, _time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_that_is_hidden_costs_and_tells_as_much_as_one_that_is_not_there()
    {
        var (mine, hidden) = (_catalogue.Add("mine"), _catalogue.Add("hidden"));
        var caller = new Caller { Right = Right.Read, TokenId = "x", Databases = [mine.Id] };
        Assert.Same(mine, await _names.FindAsync("mine", caller, Cancellation));
        Assert.Equal(0, _catalogue.Asked);
        Assert.Null(await _names.FindAsync("hidden", caller, Cancellation));
        Assert.Equal(1, _catalogue.Asked);
        Assert.Null(await _names.FindAsync("nobodys", caller, Cancellation));
        Assert.Equal(2, _catalogue.Asked);
        Assert.Null(await _names.FindNewestAsync("hidden", caller, Cancellation));
        Assert.Same(hidden, await _names.FindAsync("hidden", Caller.Anonymous, Cancellation));
        Assert.Equal(3, _catalogue.Asked);
    }

    [Fact]
    public async Task A_few_ask_at_a_time_and_the_others_wait_for_a_while()
    {
        _catalogue.Holds = new TaskCompletionSource();
        var asking = Enumerable.Range(0, 20).Select(i => _names.FindAsync($"n{i}", Caller.Anonymous, Cancellation).AsTask()).ToList();
        Assert.Equal(8, _catalogue.Asked);
        _time.Advance(TimeSpan.FromSeconds(2));
        foreach (var waiting in asking.Skip(8))
        {
            Assert.Equal(ErrorCodes.Overloaded, (await Assert.ThrowsAsync<RequestException>(() => waiting)).Error.Code);
        }

        _catalogue.Holds.SetResult();
        Assert.All(await Task.WhenAll(asking.Take(8)), found => Assert.Null(found));
        Assert.Null(await _names.FindAsync("n", Caller.Anonymous, Cancellation));
    }

    private sealed class Catalogue : IControlPlane
    {
        private readonly Dictionary<string, DatabaseRecord> _databases = [];

        public int Asked { get; private set; }

        public TaskCompletionSource? Holds { get; set; }

        public string ClusterId => "";

        public IReadOnlyList<NodeRecord> Nodes => [];

        public ITokenStore Tokens => throw new NotSupportedException();

        public string NodeKey => "";

        public DatabaseRecord Add(string name) => _databases[name] = new DatabaseRecord
        {
            Id = new DatabaseId(Guid.NewGuid()), Name = name, CreatedAt = DateTimeOffset.UnixEpoch, PrimaryRegion = "weur", PrimaryNode = "n1",
        };

        public DatabaseRecord? Find(string nameOrId) => _databases.GetValueOrDefault(nameOrId);

        public DatabaseRecord? Find(DatabaseId id) => _databases.Values.FirstOrDefault(record => record.Id == id);

        public async ValueTask<DatabaseRecord?> FindNewestAsync(string nameOrId, CancellationToken cancellationToken = default)
        {
            Asked++;
            if (Holds is { } holds)
            {
                await holds.Task;
            }

            return Find(nameOrId);
        }

        public bool IsDeleted(DatabaseId id) => false;

        public Task<IAsyncDisposable> RegisterAsync(NodeRecord node, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IReadOnlyList<DatabaseRecord> List(string namePrefix, string afterName, int count) => throw new NotSupportedException();

        public Task CreateAsync(DatabaseRecord database, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<DatabaseRecord> UpdateAsync(DatabaseId id, Func<DatabaseRecord, DatabaseRecord> change, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<bool> DeleteAsync(DatabaseId id, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<uint> TakeEpochAsync(DatabaseId id, string nodeId, uint expected, uint above, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task SetFollowersAsync(DatabaseId id, uint epoch, ImmutableArray<FollowerPlace> followers, int quorum, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IDisposable Watch(Action<CatalogueChange> onChange) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
