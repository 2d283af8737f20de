using Microsoft.AspNetCore.Connections;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Lets so many connections in. Others are told so in HTTP/2's own words, where Kestrel's limit would only hang up.</summary>
internal sealed class ConnectionLimit(int limit, ConnectionDelegate next)
{
    private int _open; // by Interlocked

    public async Task OnConnectedAsync(ConnectionContext connection)
    {
        try
        {
            if (Interlocked.Increment(ref _open) <= limit) await next(connection);
            else await RefusedConnection.RunAsync(connection.Transport);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
