using System.Diagnostics;

namespace ReplicatedSqlite.Testing;

/// <summary>A folder that goes when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("rs-test-").FullName;

    public string Path { get; }

    /// <summary>Copies files or folders into a place in this folder, by another process: to close a file here would drop SQLite's locks on it.</summary>
    /// <param name="sources">Those that are missing are left out.</param>
    /// <param name="under">A folder in this one; it is made.</param>
    public async Task CopyInAsync(IEnumerable<string> sources, string under)
    {
        var target = System.IO.Path.Combine(Path, under);
        Directory.CreateDirectory(target);
        var present = sources.Where(System.IO.Path.Exists).ToList();
        if (present.Count > 0)
        {
            using var copy = Process.Start("cp", ["-a", .. present, target]);
            await copy.WaitForExitAsync();
        }
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }
}
