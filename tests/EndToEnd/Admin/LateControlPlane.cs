using System.Collections.Concurrent;
using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A node's own view of a control plane that is elsewhere: it hears of other nodes' changes only when a test says so, as a cache fed by a slow watch would.</summary>
internal sealed class LateControlPlane(IControlPlane actual) : IControlPlane
{
    private readonly ConcurrentDictionary<DatabaseId, DatabaseRecord> _remembered = new();

    public string ClusterId => actual.ClusterId;

    public IReadOnlyList<NodeRecord> Nodes => actual.Nodes;

    public ITokenStore Tokens => actual.Tokens;

    public string NodeKey => actual.NodeKey;

    /// <summary>What becomes of a change: "create", "update", "rename", "delete".</summary>
    public Func<string, LostChange> Fault { get; set; } = static _ => LostChange.None;

    /// <summary>Called for each deletion.</summary>
    public Action OnDelete { get; set; } = static () => { };

    /// <summary>All the news arrive.</summary>
    public void CatchUp()
    {
        _remembered.Clear();
        foreach (var record in actual.List("", "", int.MaxValue))
        {
            _remembered[record.Id] = record;
        }
    }

    public Task<IAsyncDisposable> RegisterAsync(NodeRecord node, CancellationToken cancellationToken = default) => actual.RegisterAsync(node, cancellationToken);

    public DatabaseRecord? Find(string nameOrId) =>
        _remembered.Values.Where(record => record.Name == nameOrId || record.Id.ToString() == nameOrId).MaxBy(record => record.CreatedAt);

    public bool IsDeleted(DatabaseId id) => actual.IsDeleted(id);

    public DatabaseRecord? Find(DatabaseId id) => _remembered.GetValueOrDefault(id);

    public async ValueTask<DatabaseRecord?> FindNewestAsync(string nameOrId, CancellationToken cancellationToken = default)
    {
        var newest = await actual.FindNewestAsync(nameOrId, cancellationToken);
        if (Find(nameOrId) is { } old && old.Id != newest?.Id)
        {
            _remembered.TryRemove(old.Id, out _);
        }

        return newest is null ? null : Remember(newest);
    }

    public IReadOnlyList<DatabaseRecord> List(string namePrefix, string afterName, int count) => actual.List(namePrefix, afterName, count);

    public async Task CreateAsync(DatabaseRecord database, CancellationToken cancellationToken = default)
    {
        await ChangeAsync("create", async () =>
        {
            await actual.CreateAsync(database, cancellationToken);
            return true;
        });
        Remember(database);
    }

    public async Task<DatabaseRecord> UpdateAsync(DatabaseId id, Func<DatabaseRecord, DatabaseRecord> change, CancellationToken cancellationToken = default) =>
        Remember(await ChangeAsync(
            actual.Find(id) is { } old && change(old).Name != old.Name ? "rename" : "update", () => actual.UpdateAsync(id, change, cancellationToken)));

    public async Task<bool> DeleteAsync(DatabaseId id, CancellationToken cancellationToken = default)
    {
        OnDelete();
        _remembered.TryRemove(id, out _);
        return await ChangeAsync("delete", () => actual.DeleteAsync(id, cancellationToken));
    }

    public async Task<uint> TakeEpochAsync(DatabaseId id, string nodeId, uint expected, uint above, CancellationToken cancellationToken = default)
    {
        var epoch = await actual.TakeEpochAsync(id, nodeId, expected, above, cancellationToken);
        if (actual.Find(id) is { } record)
        {
            Remember(record);
        }

        return epoch;
    }

    public Task SetFollowersAsync(
        DatabaseId id, uint epoch, ImmutableArray<FollowerPlace> followers, int quorum, CancellationToken cancellationToken = default) =>
        actual.SetFollowersAsync(id, epoch, followers, quorum, cancellationToken);

    public IDisposable Watch(Action<CatalogueChange> onChange) => actual.Watch(onChange);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<T> ChangeAsync<T>(string kind, Func<Task<T>> change)
    {
        var fault = Fault(kind);
        var result = fault == LostChange.BeforeIt ? default : await change();
        return fault == LostChange.None ? result! : throw new RequestException(
            new SqlError { Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = Protocol.V1.CommitState.Unknown }, "The control plane went away; the change may have arrived.");
    }

    private DatabaseRecord Remember(DatabaseRecord record)
    {
        _remembered[record.Id] = record;
        return record;
    }
}

/// <summary>Where the way to a control plane broke.</summary>
internal enum LostChange
{
    None,

    /// <summary>The change did not arrive; nobody knows.</summary>
    BeforeIt,

    /// <summary>It was carried out; its answer was lost.</summary>
    BehindIt,
}
