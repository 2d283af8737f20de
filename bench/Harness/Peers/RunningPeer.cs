using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A peer, its connections, and the rows that it has been given.</summary>
internal sealed class RunningPeer(Peer peer) : IAsyncDisposable
{
    private readonly List<PeerConnection> _connections = [];
    private long _answered; // by Interlocked

    public string Name => peer.Name;

    public bool HasBatches => peer.HasBatches;

    public bool HasReadYourWrites => peer.HasReadYourWrites;

    /// <summary>So many connections, opened now if there are fewer.</summary>
    public async Task<IReadOnlyList<PeerConnection>> ConnectAsync(int callers)
    {
        while (_connections.Count < callers)
        {
            _connections.Add(await peer.ConnectAsync(_connections.Count));
        }

        return _connections;
    }

    /// <summary>Single rows from so many callers.</summary>
    public async Task<Series> InsertsAsync(string name, int callers, string value)
    {
        var connections = await ConnectAsync(callers);
        return new Series(name, callers, async caller =>
        {
            await connections[caller].InsertAsync(value);
            Interlocked.Increment(ref _answered);
        }) { Peer = Name };
    }

    /// <summary>The same by the peer's own tool.</summary>
    public Series? InsertsByTool(string name, int callers) => peer.Tool is not { } tool
        ? null
        : new Series(name, async (_, duration) =>
        {
            var result = await tool.Insert(callers, duration);
            Interlocked.Add(ref _answered, result.Calls);
            return result;
        }) { Peer = tool.Name };

    /// <summary>Several rows a call.</summary>
    public async Task<Series> BatchesAsync(string name, int callers, string value, int rows)
    {
        var connections = await ConnectAsync(callers);
        return new Series(name, callers, async caller =>
        {
            await connections[caller].InsertAsync(value, rows);
            Interlocked.Add(ref _answered, rows);
        }) { Peer = Name };
    }

    /// <summary>Adds rows and tells their ids.</summary>
    public async Task<IReadOnlyList<long>> FillAsync(int rows, Func<int, string> value)
    {
        const int Callers = 16;
        var connections = await ConnectAsync(Callers);
        var ids = new long[rows];
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            for (var i = caller; i < rows; i += Callers)
            {
                ids[i] = await connections[caller].InsertAsync(value(i));
                Interlocked.Increment(ref _answered);
            }
        }));
        return ids;
    }

    /// <summary>Counts a row that was inserted by other ways.</summary>
    public void Count() => Interlocked.Increment(ref _answered);

    /// <summary>Sees to it that the copy has just the rows that were answered.</summary>
    /// <exception cref="BenchException">It has not.</exception>
    public async Task CheckAsync()
    {
        var found = await peer.CountAsync();
        if (found != Interlocked.Read(ref _answered))
        {
            throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"The copy of {Name} has {found} rows; {_answered} inserts were answered."));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await peer.DisposeAsync();
    }
}
