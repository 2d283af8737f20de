namespace ReplicatedSqlite.Router;

/// <summary>A file of a call that sends or receives one. Gone when it is disposed, with whatever was made beside it under its name.</summary>
internal sealed class TransferFile(string path) : IDisposable
{
    public string Path => path;

    public void Dispose()
    {
        // With what SQLite, or a restore that was broken off, left beside it.
        var folder = new DirectoryInfo(System.IO.Path.GetDirectoryName(path)!);
        foreach (var file in folder.Exists ? folder.EnumerateFiles(System.IO.Path.GetFileName(path) + "*") : [])
        {
            file.Delete();
        }
    }
}
