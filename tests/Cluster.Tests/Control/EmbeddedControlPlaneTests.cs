using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EmbeddedControlPlaneTests : ControlPlaneContract
{
    private readonly TemporaryFolder _folder = new();

    protected override Task<IControlPlane> OpenAsync() =>
        Task.FromResult<IControlPlane>(EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.sqlite"), new Random(1)));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
