using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EmbeddedControlPlaneTests : ControlPlaneContract
{
    private readonly TemporaryFolder _folder = new();

    protected override Task<IControlPlane> OpenAsync() =>
        Task.FromResult<IControlPlane>(EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.sqlite"), new Random(1)));

    [Fact]
    public void A_file_of_a_newer_version_is_refused_by_name_and_left_alone()
    {
        var path = Path.Combine(_folder.Path, "newer.sqlite");
        using (var file = SqliteConnection.Open(path, create: true))
        {
            file.Execute("PRAGMA user_version=2; CREATE TABLE of_another_shape (x)");
        }

        var refused = Assert.Throws<FormatVersionException>(() => EmbeddedControlPlane.Open(path, new Random(1)));
        Assert.Contains("newer.sqlite' has format version 2; this build reads version 1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("newer.sqlite' has format version 2", Assert.Throws<InvalidOperationException>(() => ControlMemory.Open(path)).Message, StringComparison.Ordinal); // nor what a node remembers of etcd
        using var again = SqliteConnection.Open(path, create: false);
        Assert.Equal(2, again.QueryInteger("PRAGMA user_version"));
        Assert.Equal("of_another_shape", again.QueryText("SELECT group_concat(name) FROM sqlite_schema"));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
