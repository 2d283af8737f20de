namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Sends the responses of a streaming call. One write at a time.</summary>
/// <typeparam name="T">The response message.</typeparam>
public interface IResponseWriter<in T>
{
    /// <summary>Sends one response. Completes when it is buffered below a bound: while the client does not read, writes wait.</summary>
    /// <exception cref="OperationCanceledException">The client has gone, or the deadline passed.</exception>
    ValueTask WriteAsync(T message, CancellationToken cancellationToken = default);
}
