using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>The token of one attempt: cancelled by the caller, or because the node hangs and the call may be made elsewhere.</summary>
internal readonly struct Leaving : IDisposable
{
    private readonly CancellationTokenSource? _linked;
    private readonly CancellationToken _hung;
    private readonly CancellationToken _caller;

    private Leaving(CancellationToken caller, CancellationToken hung)
    {
        _caller = caller;
        _hung = hung;
        if (!hung.CanBeCanceled) Token = caller;
        else if (!caller.CanBeCanceled) Token = hung;
        else Token = (_linked = CancellationTokenSource.CreateLinkedTokenSource(caller, hung)).Token;
    }

    public CancellationToken Token { get; }

    public bool HasHung => _hung.IsCancellationRequested && !_caller.IsCancellationRequested;

    public static Leaving Of(NodeEndpoint node, bool mayLeave, CancellationToken caller) => new(caller, mayLeave ? node.Hung : CancellationToken.None);

    public static RpcException Hangs(NodeEndpoint node) => RpcException.GivenUp($"{node.Address} does not answer any more, not even a call that does nothing.");

    public void Dispose() => _linked?.Dispose();
}
