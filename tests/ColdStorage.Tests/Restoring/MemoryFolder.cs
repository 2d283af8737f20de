namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A folder that goes when the test ends, in memory where the machine has that: thousands of syncs are no part of these tests.</summary>
internal sealed class MemoryFolder : IDisposable
{
    public MemoryFolder()
    {
        var root = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(root, $"rs-test-{Guid.NewGuid():n}");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
