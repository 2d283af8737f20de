using Microsoft.Win32.SafeHandles;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Sets the pages of entries in a main file, with no connection open on it.</summary>
/// <remarks>
/// Not through SQLite: a checkpoint that a crash cut short leaves a mixture, in which the header on page 1 may already speak of pages that the file does not have
/// yet. SQLite refuses to open that, and need not: whole pages are set, in order, and at the end the file is exactly the state of the last entry.
/// Only entries that are confirmed, or will be, come here: with one follower, whatever its journal has.
/// </remarks>
internal sealed class LogReplay : IDisposable
{
    private readonly SafeFileHandle _file;

    public LogReplay(string path) => _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);

    /// <summary>The database's size after the last entry; 0 before the first.</summary>
    public uint SizePages { get; private set; }

    private int PageSizeBytes { get; set; }

    public void Apply(Entry entry)
    {
        PageSizeBytes = entry.Header.PageSizeBytes;
        var shrinks = entry.Header.DatabaseSizePages < SizePages;
        SizePages = entry.Header.DatabaseSizePages;
        if (shrinks)
        {
            RandomAccess.SetLength(_file, (long)SizePages * PageSizeBytes); // what grows there again does not begin with old bytes
        }

        foreach (var page in entry.Pages)
        {
            RandomAccess.Write(_file, page.Data.Span, (long)(page.PageNumber - 1) * PageSizeBytes);
        }
    }

    /// <summary>Gives the file its size, and brings everything to the disk.</summary>
    public void Finish()
    {
        if (SizePages > 0)
        {
            RandomAccess.SetLength(_file, (long)SizePages * PageSizeBytes);
        }

        RandomAccess.FlushToDisk(_file);
    }

    public void Dispose() => _file.Dispose();
}
