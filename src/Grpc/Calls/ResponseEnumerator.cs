using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>Enumerates a call's responses; cancelling the enumeration, or leaving it early, cancels the call.</summary>
internal sealed class ResponseEnumerator<TResponse>(StreamingCall<TResponse> call, CancellationToken cancellationToken) : IAsyncEnumerator<TResponse>
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly CancellationTokenRegistration _registration =
        cancellationToken.UnsafeRegister(static state => ((CallLifetime)state!).End(EndReason.Caller), call.Lifetime);

    public TResponse Current => call.Current;

    public ValueTask<bool> MoveNextAsync() => call.MoveNextAsync();

    public ValueTask DisposeAsync()
    {
        _registration.Dispose();
        return call.DisposeAsync();
    }
}
