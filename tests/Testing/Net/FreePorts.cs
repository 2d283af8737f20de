using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Testing;

/// <summary>
/// Ports of 127.0.0.1 for servers that are told where to listen. They lie below the range from which the system takes the local ends of connections: one that was bound
/// to port 0 and closed again may be such an end before the server listens. A lock file, held until the process ends, keeps two processes from taking the same. Thread-safe.
/// </summary>
public static class FreePorts
{
    private const int First = 15_000; // above what usual services listen on
    private const int Last = 32_000; // Linux takes connections' ends from 32768 on
    private static readonly Lock _gate = new();
    private static readonly List<FileStream> _held = []; // under _gate; never closed: the locks live as long as the process
    private static int _next = First + (Environment.ProcessId * 40 % (Last - First)); // under _gate

    /// <summary>Ports, not all in a row.</summary>
    public static int[] Take(int count) => [.. Enumerable.Range(0, count).Select(static _ => TakeRow(1))];

    /// <summary>The first of some ports in a row.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public static int TakeRow(int count)
    {
        lock (_gate)
        {
            for (var tried = First; tried < Last; tried++)
            {
                var first = _next;
                _next = first + count < Last ? first + count : First;
                if (first + count <= Last && TryTake(first, count)) return first;
            }
        }

        throw new InvalidOperationException($"No {count} free ports in a row between {First} and {Last}.");
    }

    private static bool TryTake(int first, int count)
    {
        var locks = new List<FileStream>();
        for (var port = first; port < first + count; port++)
        {
            if (TryLock(port) is { } taken) locks.Add(taken);
            if (locks.Count != port - first + 1 || !CanListen(port))
            {
                locks.ForEach(static taken => taken.Dispose());
                return false;
            }
        }

        _held.AddRange(locks);
        return true;
    }

    private static FileStream? TryLock(int port)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"replicatedsqlite-ports-{Environment.UserName}"));
        try
        {
            return new FileStream(Path.Combine(folder.FullName, port.ToString(CultureInfo.InvariantCulture)), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null; // another process has it
        }
    }

    private static bool CanListen(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
