using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

/// <summary>One etcd for the tests of a class that do it no harm; each has keys of its own.</summary>
public sealed class EtcdFixture : IAsyncLifetime
{
    private int _prefixes;

    public EtcdServer Server { get; private set; } = null!;

    public string NewPrefix() => $"/test{Interlocked.Increment(ref _prefixes)}/";

    public async ValueTask InitializeAsync()
    {
        if (EtcdServer.IsThere)
        {
            Server = await EtcdServer.StartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}
