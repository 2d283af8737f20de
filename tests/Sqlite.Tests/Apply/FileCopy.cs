using System.Diagnostics;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Copies a database's files while connections are open on them.</summary>
internal static class FileCopy
{
    /// <summary>By another process: opening and closing the database file in this one would drop SQLite's locks.</summary>
    public static void Take(string path, string target, bool withWal)
    {
        Copy(path, target);
        if (withWal)
        {
            Copy(WalFile.PathOf(path), WalFile.PathOf(target));
        }
    }

    private static void Copy(string from, string to)
    {
        using var process = Process.Start("cp", [from, to]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
