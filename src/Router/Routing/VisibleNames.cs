using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>Looks names up for callers that see some databases or all. Safe for use by any thread.</summary>
/// <remarks>
/// What a caller may not see is looked for as what is not there: neither the answer nor the time it takes tells which names there are. A name that is not known here may be a moment
/// old, so the control plane is asked; but a few questions at a time, so that made-up names are no load for it.
/// </remarks>
#pragma warning disable CA1001 // It lives as long as the node, and a semaphore without its wait handle holds nothing unmanaged.
internal sealed class VisibleNames(IControlPlane control, TimeProvider time)
#pragma warning restore CA1001
{
    private const int MaxQuestions = 8;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _asking = new(MaxQuestions);

    /// <summary>As this node remembers it, if the caller sees it so; else as the control plane knows it now.</summary>
    /// <exception cref="RequestException">Too many ask.</exception>
    public ValueTask<DatabaseRecord?> FindAsync(string nameOrId, Caller caller, CancellationToken cancellationToken) =>
        control.Find(nameOrId) is { } known && caller.Sees(known.Id) ? ValueTask.FromResult<DatabaseRecord?>(known) : FindNewestAsync(nameOrId, caller, cancellationToken);

    /// <summary>As the control plane knows it now; <see langword="null"/> if there is none, or none for this caller.</summary>
    /// <exception cref="RequestException">Too many ask.</exception>
    public async ValueTask<DatabaseRecord?> FindNewestAsync(string nameOrId, Caller caller, CancellationToken cancellationToken)
    {
        if (!_asking.Wait(0, CancellationToken.None))
        {
            await WaitAsync(cancellationToken);
        }

        try
        {
            return await control.FindNewestAsync(nameOrId, cancellationToken) is { } newest && caller.Sees(newest.Id) ? newest : null;
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await _asking.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RequestException(ErrorCodes.Overloaded, "Too many calls ask for databases that this node does not know. Nothing was done; try again.");
        }
    }
}
