namespace ReplicatedSqlite;

/// <summary>A connection to a cluster: databases, sessions and management. Thread-safe; an application needs one.</summary>
/// <example>
/// <code>
/// await using var client = new ReplicatedSqliteClient("127.0.0.1:7101");
/// var session = client.Database("shop").WithSession(Session.FirstPrimary);
/// await session.ExecuteAsync("INSERT INTO orders (customer, total) VALUES (?, ?)", [42, 19.9]);
/// var orders = await session.QueryAsync("SELECT * FROM orders WHERE customer = :c", SqlParameters.Named(("c", 42)));
/// </code>
/// </example>
public sealed class ReplicatedSqliteClient : IAsyncDisposable
{
    private readonly Transport _transport;

    /// <summary>A client of the node at <paramref name="endpoint"/>, for example <c>127.0.0.1:7101</c>. Connects at the first call.</summary>
    public ReplicatedSqliteClient(string endpoint, ReplicatedSqliteClientOptions? options = null)
        : this([endpoint], options)
    {
    }

    /// <summary>A client of several nodes: the next one is asked when one cannot be reached.</summary>
    public ReplicatedSqliteClient(IEnumerable<string> endpoints, ReplicatedSqliteClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        _transport = new Transport([.. endpoints.Select(Endpoint.Parse)], options ?? new ReplicatedSqliteClientOptions());
        Admin = new AdminClient(_transport);
    }

    /// <summary>Creates, lists and deletes databases, and tells about the cluster.</summary>
    public AdminClient Admin { get; }

    /// <summary>A database by name or id. Nothing is sent yet.</summary>
    public ReplicatedDatabase Database(string nameOrId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrId);
        return new ReplicatedDatabase(_transport, nameOrId);
    }

    /// <summary>Closes the connections; calls in flight fail.</summary>
    public ValueTask DisposeAsync() => _transport.DisposeAsync();
}
