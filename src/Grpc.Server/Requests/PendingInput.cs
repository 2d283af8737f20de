using System.IO.Pipelines;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Wakes a read that waits for a client, from a token's callback.</summary>
internal static class PendingInput
{
    /// <summary>Cancels the read as <see cref="PipeReader.CancelPendingRead"/> does.</summary>
    public static CancellationTokenRegistration CancelWith(PipeReader body, CancellationToken token) => token.UnsafeRegister(
        static state =>
        {
            try
            {
                ((PipeReader)state!).CancelPendingRead();
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The stream was reset, which Kestrel throws here as well. The read hears of it by itself; whoever cancels must not.
            }
        },
        body);
}
