namespace ReplicatedSqlite.EndToEnd;

/// <summary>A folder that goes when the test has ended.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("rs-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
