namespace ReplicatedSqlite.Testing;

/// <summary>A folder that goes when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("rs-test-").FullName;

    public string Path { get; }

    /// <summary>What is in it now, in a folder of its own: what a process that is killed at this moment leaves behind.</summary>
    public TemporaryFolder Copy()
    {
        var copy = new TemporaryFolder();
        foreach (var folder in Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(System.IO.Path.Combine(copy.Path, System.IO.Path.GetRelativePath(Path, folder)));
        }

        foreach (var file in Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories))
        {
            try
            {
                File.Copy(file, System.IO.Path.Combine(copy.Path, System.IO.Path.GetRelativePath(Path, file)));
            }
            catch (FileNotFoundException)
            {
                // It was replaced while we looked; its successor is in another copy.
            }
        }

        return copy;
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
