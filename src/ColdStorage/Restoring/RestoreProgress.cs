using System.Text.Json;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>How far a restore has come, synced: one that is broken off goes on from there.</summary>
/// <param name="Wanted">What is restored.</param>
/// <param name="Snapshot">The snapshot that it begins with; empty for none.</param>
/// <param name="Chunks">How many of its chunks are in the file.</param>
/// <param name="From">Once all are: everything up to here is in the file.</param>
/// <param name="To">Its pages may be as new as this.</param>
internal sealed record RestoreProgress(string Wanted, string Snapshot, int Chunks, string? From, string? To)
{
    public static string PathOf(string path) => path + "-progress";

    /// <returns><see langword="null"/> if there is none that can be gone on from.</returns>
    public static RestoreProgress? Read(string path)
    {
        try
        {
            return File.Exists(path) && File.Exists(PathOf(path)) ? JsonSerializer.Deserialize<RestoreProgress>(File.ReadAllBytes(PathOf(path))) : null;
        }
        catch (JsonException)
        {
            return null; // begun anew
        }
    }

    /// <summary>Durable on return. Without notes a restore that is broken off begins anew.</summary>
    public void Write(string path, ColdRestoreOptions options)
    {
        if (!options.IsNoted)
        {
            return;
        }

        options.AtDisk?.Invoke(DiskStep.Note);
        DurableFile.Write(PathOf(path), JsonSerializer.SerializeToUtf8Bytes(this));
    }

    /// <summary>Durable on return.</summary>
    public static void Remove(string path)
    {
        if (File.Exists(PathOf(path)))
        {
            File.Delete(PathOf(path));
            DurableFile.SyncFolderOf(path);
        }
    }
}
