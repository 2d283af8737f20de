using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Cluster;

/// <summary>This node's standing with etcd: whether it can be reached, whether it is the one that is known, and the mirror of it that is kept in memory and on disk.</summary>
/// <remarks>One loop joins and follows; everything else may be used by any thread.</remarks>
internal sealed partial class EtcdSession : IAsyncDisposable
{
    private readonly Lock _knowing = new();
    private readonly EtcdOptions _options;
    private readonly EtcdStore _store;
    private readonly CatalogueMirror _catalogue;
    private readonly NodeMirror _nodes;
    private readonly TokenMirror _tokens;
    private readonly ControlMemory _memory; // by whoever has _saving
    private readonly SemaphoreSlim _saving = new(1);
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly EtcdFollowing _following;
    private EtcdFacts? _facts; // written under _knowing; read by any thread
    private EtcdFacts? _saved; // by whoever has _saving
    private volatile string? _nodeKey;
    private volatile string? _fault;
    private volatile string? _absence;
    private bool _isLoaded; // by the loop
    private Task _loop = Task.CompletedTask;

    public EtcdSession(EtcdOptions options, EtcdStore store, CatalogueMirror catalogue, NodeMirror nodes, TokenMirror tokens, ControlMemory memory, TimeProvider time, ILogger logger)
    {
        (_options, _store, _catalogue, _nodes, _tokens, _memory, _time, _logger) = (options, store, catalogue, nodes, tokens, memory, time, logger);
        _following = new EtcdFollowing(this, options, store, catalogue, nodes, tokens, time, logger);
    }

    /// <summary>What is known of the etcd that is trusted.</summary>
    /// <exception cref="EtcdUnavailableException">It was never reached.</exception>
    public EtcdFacts Facts => Volatile.Read(ref _facts) ?? throw new EtcdUnavailableException("etcd was never reached.", mayBeDone: false);

    /// <summary>By what the nodes of the cluster know each other; the same for ever.</summary>
    /// <exception cref="EtcdUnavailableException">etcd was never reached.</exception>
    public string NodeKey => _nodeKey ?? throw new EtcdUnavailableException("etcd was never reached.", mayBeDone: false);

    /// <summary>Why etcd cannot be used just now; <see langword="null"/> when it can.</summary>
    public string? Trouble => _fault ?? _absence;

    /// <summary>Reaches etcd for the first time, or falls back on what this node remembers.</summary>
    /// <exception cref="InvalidOperationException">There is nothing to begin with.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        var remembered = _memory.Facts;
        if (remembered is not null)
        {
            Volatile.Write(ref _facts, remembered);
            _saved = remembered;
            var databases = _memory.ReadAll();
            _catalogue.Load(
                new LoadedCatalogue(
                    remembered.Revision,
                    [.. databases.Where(static database => database.Record is not null).Select(static database => (database.Id, database.Record, database.Revision))],
                    databases.Where(static database => database.Record is null).ToDictionary(static database => database.Id, static database => database.Revision)),
                isOtherHistory: false);
            _catalogue.DrainUnsaved();
            _nodes.SetAnew(_memory.Nodes);
            _tokens.Load(_memory.Tokens);
            _tokens.DrainUnsaved();
            _nodeKey = _memory.NodeKey;
        }

        try
        {
            if (_options.AcceptRestored && remembered is not null)
            {
                await new EtcdRestoration(_options, _store, _logger).AcceptAsync(remembered, new(_memory.ReadAll(), [.. _memory.Tokens], _memory.NodeKey), cancellationToken);
            }

            await JoinAsync(cancellationToken);
        }
        catch (Exception e) when (e is EtcdUnavailableException or EtcdRefusedException && remembered is not null)
        {
            SetAbsence(e.Message);
        }
        catch (EtcdDistrustedException e) when (remembered is not null)
        {
            SetFault(e.Message);
        }
        catch (EtcdUnavailableException e)
        {
            throw new ControlPlaneAwayException($"The control plane does not answer, and this node remembers nothing of it: {e.Message}", e);
        }
        catch (Exception e) when (e is EtcdRefusedException or EtcdDistrustedException)
        {
            throw new InvalidOperationException($"The control plane cannot be used, and this node remembers nothing of it: {e.Message}", e);
        }

        _loop = RunAsync();
    }

    /// <summary>A change, or a read when there are no changes, in the etcd that is trusted.</summary>
    /// <exception cref="EtcdDistrustedException">It is not that one.</exception>
    public async Task<EtcdOutcome> CommitAsync(
        IReadOnlyList<EtcdCompare> conditions, IReadOnlyList<EtcdOperation> changes, IReadOnlyList<byte[]> reads, bool isOfCatalogue, CancellationToken cancellationToken)
    {
        if (_fault is { } fault)
        {
            throw new EtcdDistrustedException(fault);
        }

        var token = isOfCatalogue && changes.Count > 0 ? RandomNumberGenerator.GetHexString(16, lowercase: true) : null;
        try
        {
            var outcome = await _store.CommitAsync(Facts, conditions, changes, reads, token, cancellationToken);
            if (token is not null && outcome.Succeeded)
            {
                Learn(outcome.Revision, outcome.Revision, token);
            }

            return outcome;
        }
        catch (EtcdDistrustedException)
        {
            _following.LookNow();
            throw;
        }
    }

    public Task<EtcdOutcome> ReadAsync(IReadOnlyList<byte[]> keys, CancellationToken cancellationToken) => CommitAsync([], [], keys, isOfCatalogue: false, cancellationToken);

    /// <summary>Something newer was seen.</summary>
    public void Learn(long revision, long headRevision, string headToken)
    {
        lock (_knowing)
        {
            _facts = _facts!.With(revision, headRevision, headToken);
        }
    }

    /// <summary>Looks whether etcd is still the one that is known.</summary>
    /// <exception cref="EtcdDistrustedException">It is not.</exception>
    public async Task<EtcdSight> InspectAsync(CancellationToken cancellationToken)
    {
        var known = Facts; // before the look: what is learned meanwhile may be newer than what is seen
        var sight = await _store.LookAsync(cancellationToken);
        if (EtcdTrust.Fault(known, sight, _options.Prefix) is { } fault)
        {
            await HoldAsync(sight, fault, cancellationToken);
            throw new EtcdDistrustedException(fault);
        }

        return sight;
    }

    /// <summary>Writes down what changed, so that the next process of this node, or an etcd that has forgotten it, can be told.</summary>
    public async Task SaveAsync()
    {
        await _saving.WaitAsync(CancellationToken.None);
        try
        {
            var facts = Facts;
            var changed = _catalogue.DrainUnsaved();
            var tokens = _tokens.DrainUnsaved();
            if (changed.Count == 0 && tokens is null && _saved is { } saved && saved with { Revision = facts.Revision } == facts)
            {
                return; // what others do in this etcd is not worth a write
            }

            try
            {
                await Task.Run(() => _memory.Save(facts, changed, tokens), CancellationToken.None);
                _saved = facts;
            }
            catch (Sqlite.SqliteException e)
            {
                _catalogue.MarkUnsaved(changed);
                if (tokens is not null)
                {
                    _tokens.MarkUnsaved();
                }

                EtcdLog.NotRemembered(_logger, e);
            }
        }
        finally
        {
            _saving.Release();
        }
    }

    /// <summary>Remembers something else, or reads it.</summary>
    public async Task<T> WithMemoryAsync<T>(Func<ControlMemory, T> use)
    {
        await _saving.WaitAsync(CancellationToken.None);
        try
        {
            return await Task.Run(() => use(_memory), CancellationToken.None);
        }
        finally
        {
            _saving.Release();
        }
    }

    /// <summary>Remembers something else.</summary>
    public Task WithMemoryAsync(Action<ControlMemory> use) => WithMemoryAsync(memory =>
    {
        use(memory);
        return true;
    });

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        if (Volatile.Read(ref _facts) is not null)
        {
            await SaveAsync();
        }

        _following.Dispose();
        _saving.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var isJoined = _fault is null && _absence is null;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (!isJoined)
                {
                    await JoinAsync(_stopping.Token);
                }

                await _following.RunAsync(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (EtcdDistrustedException e)
            {
                SetFault(e.Message);
                _store.MoveOn();
            }
            catch (EtcdRejoinException e)
            {
                EtcdLog.WatchReopened(_logger, e.Message);
                _isLoaded = false;
                isJoined = false;
                continue;
            }
            catch (Exception e) when (e is EtcdUnavailableException or EtcdRefusedException)
            {
                SetAbsence(e.Message);
            }
            catch (Exception e)
            {
                EtcdLog.Failed(_logger, e); // a defect of ours, or of what is in etcd: everything is read anew
                _isLoaded = false;
            }

            isJoined = false;
            await Task.Delay(_options.Pulse, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private void SetFault(string reason)
    {
        if (_fault != reason)
        {
            _fault = reason;
            EtcdLog.Distrusted(_logger, reason);
        }
    }

    private void SetAbsence(string reason)
    {
        if (_absence is null)
        {
            EtcdLog.Away(_logger, reason);
        }

        _absence = reason;
    }
}
