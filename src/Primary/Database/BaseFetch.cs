using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Gets a full copy of a database from another node, for a node that begins to lead and has none from which the log reaches on.</summary>
/// <param name="context">This node.</param>
/// <param name="database">Whose.</param>
/// <param name="onProgress">Called for each part that has come.</param>
internal sealed class BaseFetch(PrimaryContext context, DatabaseRecord database, Action onProgress) : IAsyncDisposable
{
    private const long MostUnsyncedBytes = 4L << 30; // what a crash makes be built again, and the system has to take without a pause

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10); // for one part

    private readonly SemaphoreSlim _turn = new(1); // one at a time: they write the same files
    private readonly CancellationTokenSource _ending = new();
    private readonly List<string> _refusals = []; // by whoever has the turn

    /// <summary>What those who were asked said.</summary>
    public string Refusals => _refusals.Count == 0 ? "no other node is alive" : string.Join("; ", _refusals);

    /// <summary>Asks the other nodes, followers first, and puts the first copy that comes whole in the place of the one here. No connection is open on that.</summary>
    /// <param name="atLeast">The log that is left begins here.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns><see langword="null"/> if nobody has one.</returns>
    public async Task<DurableBase?> RunAsync(Position atLeast, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        await _turn.WaitAsync(ending.Token);
        try
        {
            return await AskAsync(atLeast, ending.Token);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Builds the state at a position from cold storage, and puts it in the place of the copy here. No connection is open on that.</summary>
    /// <param name="at">Which.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="mayBeUnsynced">That of a fork need not be on the disk: whoever waits for its first answer does not wait for that.</param>
    /// <returns><see langword="null"/> if it cannot be built.</returns>
    public async Task<DurableBase?> BuildAsync(Position at, CancellationToken cancellationToken, bool mayBeUnsynced = false)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        await _turn.WaitAsync(ending.Token);
        try
        {
            _refusals.Clear();
            if (context.Cold is not { } cold)
            {
                _refusals.Add("this node has no cold storage");
                return null;
            }

            var isSynced = !mayBeUnsynced || !await IsSmallForkAsync(cold.Restorer, ending.Token);
            return await BuildAsync(cold.RestorerWith(new ColdRestoreOptions { IsSynced = isSynced }), at, at.ToBookmark(database.Id), ending.Token, isSynced);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends what is under way: from here on the file is another's.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _turn.WaitAsync();
        _turn.Release();
    }

    private async Task<DurableBase?> AskAsync(Position atLeast, CancellationToken cancellationToken)
    {
        _refusals.Clear();
        var others = context.Control.Nodes.Where(node => node.Id != context.Self.Id).OrderByDescending(node => database.Followers.Any(place => place.NodeId == node.Id));
        foreach (var node in others.ToList())
        {
            if (context.Channels is not { } channels)
            {
                break;
            }

            try
            {
                var found = await FetchAsync(channels.ForShipping(node), atLeast, cancellationToken);
                PrimaryLog.BaseFetched(context.Logger, database.Id, node.Id, found.Position);
                return found;
            }
            catch (Exception e) when (e is RpcException or InvalidDataException or EntryFormatException or FormatException or IOException or TimeoutException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                _refusals.Add($"node {node.Id}: {(e as RpcException)?.Detail ?? e.Message}");
            }
        }

        return context.Cold is null ? null : await BuildAsync(context.Cold.Restorer, atLeast, at: null, cancellationToken);
    }

    private async Task<bool> IsSmallForkAsync(ColdRestorer restorer, CancellationToken cancellationToken)
    {
        try
        {
            return await restorer.FindOriginBytesAsync(database.Id, cancellationToken) <= MostUnsyncedBytes;
        }
        catch (IOException)
        {
            return false; // building it says why
        }
    }

    // Nobody has one: cold storage may. One that is broken off goes on where it was.
    private async Task<DurableBase?> BuildAsync(ColdRestorer restorer, Position atLeast, Bookmark? at, CancellationToken cancellationToken, bool isSynced = true)
    {
        var path = context.FileOf(database.Id);
        var temporary = path + ".restoring";
        try
        {
            using var beat = new Timer(_ => onProgress(), null, TimeSpan.Zero, TimeSpan.FromSeconds(1)); // it is waited for as long as it goes on
            var state = await restorer.RestoreAsync(database.Id, temporary, at, cancellationToken);
            if (state.Position < atLeast)
            {
                _refusals.Add($"cold storage ends at {state.Position}, before {atLeast}");
                return null;
            }

            var sidecar = new Sidecar(database.Id, state.Position, state.Position);
            await context.Readers.RunAsync(() =>
            {
                LogStateFile.Write(LogStateFile.PathOf(path), new LogState(state.Epochs, state.CommitTimeMicroseconds)); // first: the sidecar vouches for it
                if (isSynced)
                {
                    LocalFile.Install(path, temporary, sidecar);
                }
                else
                {
                    LocalFile.InstallUnsynced(path, temporary);
                }
            });
            PrimaryLog.BaseBuilt(context.Logger, database.Id, state.Position);
            return new DurableBase(state.Position, null) { Unsynced = isSynced ? null : sidecar };
        }
        catch (Exception e) when (e is IOException or BookmarkNotStoredException or InvalidDataException)
        {
            _refusals.Add($"cold storage: {e.Message}");
            return null;
        }
    }

    private async Task<DurableBase> FetchAsync(GrpcChannel channel, Position atLeast, CancellationToken cancellationToken)
    {
        using var receiver = new SnapshotReceiver(context.FileOf(database.Id));
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(_patience);
        await using var responses = channel.OpenServerStream(
            FollowerMethods.ReadBase, new ReadBaseRequest { DatabaseId = database.Id.ToString(), AtLeast = atLeast.ToMessage() }, null, silence.Token);
        KnownSets? sets = null;
        var isWhole = false;
        await foreach (var response in responses.WithCancellation(silence.Token))
        {
            silence.CancelAfter(_patience);
            onProgress();
            switch (response.MessageCase)
            {
                case ReadBaseResponse.MessageOneofCase.Begin:
                    sets = FollowerWire.Decode(response.Begin.Sets);
                    break;
                case ReadBaseResponse.MessageOneofCase.Part:
                    isWhole = await context.Readers.RunAsync(() => receiver.Add(response.Part));
                    break;
                case ReadBaseResponse.MessageOneofCase.End when isWhole && receiver.Position >= atLeast:
                    var state = LogStateFile.Decode(response.End.LogState.Span, "what came of the log's state");
                    await context.Readers.RunAsync(() => receiver.Install(database.Id, state, response.End.To.ToPosition()));
                    return new DurableBase(receiver.Position, sets);
            }
        }

        throw new InvalidDataException("the copy did not come whole");
    }
}
