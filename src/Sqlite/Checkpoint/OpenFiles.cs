using System.Collections.Concurrent;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Which database files have a connection of this process.</summary>
/// <remarks>Files must not be swapped under a connection, and opening one beside SQLite drops its POSIX locks; this is how we notice our own mistake.</remarks>
internal static class OpenFiles
{
    private static readonly ConcurrentDictionary<string, int> _connections = new(StringComparer.Ordinal);

    public static void Opened(string path) => _connections.AddOrUpdate(Path.GetFullPath(path), 1, static (_, count) => count + 1);

    public static void Closed(string path)
    {
        var full = Path.GetFullPath(path);
        while (_connections.TryGetValue(full, out var count))
        {
            if (count == 1
                ? _connections.TryRemove(new KeyValuePair<string, int>(full, 1))
                : _connections.TryUpdate(full, count - 1, count))
            {
                return;
            }
        }
    }

    /// <exception cref="InvalidOperationException">The file has connections.</exception>
    public static void ThrowIfOpen(string path)
    {
        if (_connections.TryGetValue(Path.GetFullPath(path), out var count))
        {
            throw new InvalidOperationException($"'{path}' has {count} open connection(s) in this process. Close them before its files are removed or replaced.");
        }
    }
}
