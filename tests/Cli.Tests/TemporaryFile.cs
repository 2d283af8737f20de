namespace ReplicatedSqlite.Cli.Tests;

/// <summary>A file that goes with its test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(string text) => File.WriteAllText(Path, text);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"rsql {Guid.NewGuid():N}.sql");

    public void Dispose() => File.Delete(Path);
}
