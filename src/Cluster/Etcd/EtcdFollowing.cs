using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Cluster;

/// <summary>Keeps the mirror as etcd is: a watch brings what changes at once, and a look each second tells whether etcd is still there, still the one that is known, and whether the watch keeps up.</summary>
internal sealed class EtcdFollowing(
    EtcdSession session, EtcdOptions options, EtcdStore store, CatalogueMirror catalogue, NodeMirror nodes, TokenMirror tokens, TimeProvider time, ILogger logger)
    : IDisposable
{
    private static readonly TimeSpan _pauseBetweenWatches = TimeSpan.FromMilliseconds(200);

    private readonly SemaphoreSlim _lookNow = new(0, 1);
    private long _seen; // everything up to this revision is in the mirror; by Volatile
    private CancellationTokenSource? _watching; // cancelled to open the watch again; by Volatile

    /// <summary>The mirror holds everything up to a revision.</summary>
    public void ContinueAfter(long revision) => Volatile.Write(ref _seen, revision);

    /// <summary>There is a reason to look before the next second.</summary>
    public void LookNow()
    {
        try
        {
            _lookNow.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // A look is coming, or none ever will.
        }
    }

    /// <summary>Follows until that cannot go on.</summary>
    /// <exception cref="EtcdUnavailableException">etcd is away.</exception>
    /// <exception cref="EtcdDistrustedException">It is another one.</exception>
    /// <exception cref="EtcdRejoinException">The catalogue has to be read anew.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var looking = LookOnAsync(ending.Token);
        var watching = WatchOnAsync(ending.Token);
        var first = await Task.WhenAny(looking, watching);
        await ending.CancelAsync();
        await Task.WhenAll(looking, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await first;
    }

    public void Dispose() => _lookNow.Dispose();

    private async Task LookOnAsync(CancellationToken cancellationToken)
    {
        long? laggingSince = null;
        var seenThen = 0L;
        while (true)
        {
            using (var pulse = new CancellationTokenSource(options.Pulse, time))
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, pulse.Token))
            {
                await _lookNow.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var sight = await session.InspectAsync(cancellationToken);
            if (EtcdTrust.IsNewGeneration(session.Facts, sight))
            {
                throw new EtcdRejoinException($"Generation {sight.Cluster!.Generation} of the cluster was accepted.");
            }

            nodes.Set(sight.Nodes, sight.Revision);
            var seen = Volatile.Read(ref _seen);
            if (sight.HeadRevision <= seen)
            {
                // Nothing happened to the catalogue up to here, whatever others do in this etcd: a watch that is opened again need not look at it.
                Interlocked.CompareExchange(ref _seen, Math.Max(seen, sight.Revision), seen);
                session.Learn(sight.Revision, sight.HeadRevision, sight.HeadToken);
                laggingSince = null;
            }
            else if (laggingSince is null || seen != seenThen)
            {
                (laggingSince, seenThen) = (time.GetTimestamp(), seen);
            }
            else if (time.GetElapsedTime(laggingSince.Value) >= options.AnswerPatience)
            {
                laggingSince = null;
                await RestartWatchAsync();
            }

            await session.SaveAsync();
        }
    }

    private async Task RestartWatchAsync()
    {
        try
        {
            if (Volatile.Read(ref _watching) is { } watching)
            {
                await watching.CancelAsync();
            }
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private async Task WatchOnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            string reason;
            using (var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                Volatile.Write(ref _watching, watching);
                try
                {
                    reason = await WatchOnceAsync(watching.Token);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    reason = $"The catalogue changed, and nothing of it came in {options.AnswerPatience.TotalSeconds:0.#} s.";
                    store.MoveOn();
                }
                catch (Exception e) when (e is IOException or InvalidDataException or JsonException or HttpRequestException or EtcdUnavailableException)
                {
                    reason = e.Message;
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
            EtcdLog.WatchReopened(logger, reason);
            LookNow();
            await Task.Delay(_pauseBetweenWatches, time, cancellationToken);
        }
    }

    private async Task<string> WatchOnceAsync(CancellationToken cancellationToken)
    {
        using var stream = await store.WatchAsync(Volatile.Read(ref _seen) + 1, cancellationToken);
        while (await stream.ReadAsync<EtcdStreamed<WatchResponse>>(cancellationToken) is { } line)
        {
            if (line.Error is { } failure)
            {
                stream.MoveOn();
                return failure.Message ?? "etcd ended it.";
            }

            if (line.Result is not { } news)
            {
                continue;
            }

            if (news.CompactRevision > 0)
            {
                throw new EtcdRejoinException($"etcd has forgotten what happened before revision {news.CompactRevision}; {Volatile.Read(ref _seen)} was seen.");
            }

            if (news.Canceled)
            {
                stream.MoveOn();
                return news.CancelReason is { Length: > 0 } why ? why : "etcd ended it.";
            }

            Take(news);
        }

        stream.MoveOn();
        return "The connection ended.";
    }

    private void Take(WatchResponse news)
    {
        var newest = 0L;
        foreach (var happened in news.Events ?? [])
        {
            newest = Math.Max(newest, happened.Kv.ModRevision);
            Take(happened, happened.Kv.ModRevision);
        }

        // A revision that comes in parts is seen when its last part is there.
        if (!news.Fragment && newest > Volatile.Read(ref _seen))
        {
            Volatile.Write(ref _seen, newest);
        }
    }

    private void Take(EtcdEvent happened, long revision)
    {
        var (keys, found) = (store.Keys, happened.Kv);
        if (EtcdKeys.TryIdOf(found.Key, keys.Databases, out var id))
        {
            if (!happened.IsDelete)
            {
                if (EtcdLoader.TryDecode(found, logger) is { } record)
                {
                    catalogue.Put(record, revision);
                }
            }
            else if (!catalogue.IsDeleted(id) && catalogue.Drop(id, revision))
            {
                EtcdLog.RecordGone(logger, id); // a deletion's mark comes before it
            }
        }
        else if (EtcdKeys.TryIdOf(found.Key, keys.Deletions, out var deleted))
        {
            if (happened.IsDelete)
            {
                catalogue.Forget(deleted);
            }
            else
            {
                catalogue.Delete(deleted, revision);
            }
        }
        else if (found.Key.AsSpan().StartsWith(keys.Nodes))
        {
            if (happened.IsDelete)
            {
                nodes.Remove(Encoding.UTF8.GetString(found.Key.AsSpan(keys.Nodes.Length)), revision, isCertain: false);
            }
            else if (store.TryDecodeNode(found) is { } node)
            {
                nodes.Add(node, revision);
            }
        }
        else if (found.Key.AsSpan().StartsWith(keys.Tokens))
        {
            if (happened.IsDelete)
            {
                tokens.Remove(Encoding.UTF8.GetString(found.Key.AsSpan(keys.Tokens.Length)));
            }
            else if (EtcdTokenStore.TryDecode(found, logger) is { } token)
            {
                tokens.Put(token);
            }
        }
        else if (found.Key.AsSpan().SequenceEqual(keys.Head) && !happened.IsDelete)
        {
            session.Learn(revision, revision, Encoding.UTF8.GetString(found.Bytes));
        }
        else if (found.Key.AsSpan().SequenceEqual(keys.Cluster) || found.Key.AsSpan().SequenceEqual(keys.Hold))
        {
            LookNow();
        }
    }
}
