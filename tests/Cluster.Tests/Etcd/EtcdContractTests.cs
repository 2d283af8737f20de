using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdContractTests(EtcdFixture fixture) : ControlPlaneContract, IClassFixture<EtcdFixture>
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _prefix = fixture.NewPrefix();

    protected override async Task<IControlPlane> OpenAsync()
    {
        Assert.SkipUnless(EtcdServer.IsThere, EtcdServer.Missing);
        var options = new EtcdOptions { Endpoints = [fixture.Server.Endpoint], MemoryPath = Path.Combine(_folder.Path, "catalogue.sqlite"), Prefix = _prefix };
        return await EtcdControlPlane.ConnectAsync(options, TimeProvider.System, new Random(1), NullLogger.Instance);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
