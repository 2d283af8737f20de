using Microsoft.AspNetCore.Connections;

namespace ReplicatedSqlite.Node;

/// <summary>Lets so many connections to the HTTP port in and hangs up on others. Kestrel's own limit would count those to the gRPC port too.</summary>
internal sealed class HttpConnectionLimit(int limit, ConnectionDelegate next)
{
    private int _open; // by Interlocked

    public async Task OnConnectedAsync(ConnectionContext connection)
    {
        try
        {
            if (Interlocked.Increment(ref _open) <= limit)
            {
                await next(connection);
            }
            else
            {
                connection.Abort(new ConnectionAbortedException("Too many connections to the HTTP port."));
            }
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
