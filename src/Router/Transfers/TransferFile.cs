namespace ReplicatedSqlite.Router;

/// <summary>A file of a call that sends or receives one. Gone when it is disposed, with what SQLite may have left beside it.</summary>
internal sealed class TransferFile(string path) : IDisposable
{
    private static readonly string[] _companions = ["", "-journal", "-wal", "-shm"];

    public string Path => path;

    public void Dispose()
    {
        foreach (var companion in _companions)
        {
            File.Delete(path + companion);
        }
    }
}
