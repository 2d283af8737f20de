using System.Security.Cryptography;

namespace ReplicatedSqlite.Cluster;

/// <content>Joining etcd: whether it is the one that is known, and what it has.</content>
internal sealed partial class EtcdSession
{
    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _facts) is null)
        {
            await FoundAsync(cancellationToken);
        }

        var sight = await InspectAsync(cancellationToken);
        var known = Facts;
        var isOther = EtcdTrust.IsNewGeneration(known, sight);
        if (isOther)
        {
            // What only this node remembers is told to it before its catalogue takes the place of what is in memory.
            await SaveAsync();
            var remembered = await WithMemoryAsync(static memory => memory.ReadAll());
            await new EtcdRestoration(_options, _store, _logger).TellAsync(EtcdFacts.Of(sight), remembered, cancellationToken);
            sight = await _store.LookAsync(cancellationToken);
        }
        else if (sight.HeadRevision > known.HeadRevision)
        {
            await CheckHistoryAsync(known, sight, cancellationToken);
        }

        if (isOther || _nodeKey is null)
        {
            await AgreeOnNodeKeyAsync(cancellationToken);
        }

        if (isOther || !_isLoaded)
        {
            await LoadAsync(isOther ? EtcdFacts.Of(sight) : known, isOther, cancellationToken);
        }

        Learn(sight.Revision, sight.HeadRevision, sight.HeadToken);
        if (_absence is not null || _fault is not null)
        {
            _nodes.Spare(_options.Lease + (_options.Pulse * 2));
        }

        if (isOther)
        {
            _nodes.SetAnew(sight.Nodes);
        }
        else
        {
            _nodes.Set(sight.Nodes, sight.Revision);
        }

        if (_absence is not null || _fault is not null)
        {
            (_absence, _fault) = (null, null);
            EtcdLog.Back(_logger);
        }

        await SaveAsync();
    }

    // The first node that ever comes makes the cluster.
    private async Task FoundAsync(CancellationToken cancellationToken)
    {
        var sight = await _store.LookAsync(cancellationToken);
        if (sight.Hold is { } hold)
        {
            throw new EtcdDistrustedException($"{hold.By} has found that etcd is not what it was, and has told everybody to leave it alone: {hold.Reason}");
        }

        if (sight.Cluster is null)
        {
            var mark = new ClusterMark(RandomNumberGenerator.GetHexString(32, lowercase: true), Generation: 1);
            await _store.TryAsync(
                [EtcdCompare.Missing(_store.Keys.Cluster), EtcdCompare.Missing(_store.Keys.Hold)],
                [EtcdOperation.Put(_store.Keys.Cluster, mark.Encode()), EtcdOperation.Put(_store.Keys.Head, "0"u8.ToArray())],
                cancellationToken);
            sight = await _store.LookAsync(cancellationToken);
        }

        if (sight.Cluster is null)
        {
            throw new EtcdUnavailableException($"No cluster could be created in etcd under '{_options.Prefix}'.", mayBeDone: true);
        }

        lock (_knowing)
        {
            _facts = EtcdFacts.Of(sight);
        }
    }

    // The first node that comes makes one. It is written down here before anybody is shown it.
    private async Task AgreeOnNodeKeyAsync(CancellationToken cancellationToken)
    {
        var key = _store.Keys.NodeKey;
        await _store.TryAsync([EtcdCompare.Missing(key)], [EtcdOperation.Put(key, System.Text.Encoding.ASCII.GetBytes(_nodeKey ?? Cluster.NodeKey.Create()))], cancellationToken);
        var found = await _store.ReadAtAsync(key, 0, cancellationToken) ?? throw new EtcdUnavailableException("The nodes' key was removed while it was read.", mayBeDone: false);
        var agreed = System.Text.Encoding.ASCII.GetString(found.Bytes);
        await WithMemoryAsync(memory => memory.SaveNodeKey(agreed));
        _nodeKey ??= agreed;
    }

    // The catalogue went on while this node did not look. Where etcd still has what it was, it says whether it went on from there.
    private async Task CheckHistoryAsync(EtcdFacts known, EtcdSight sight, CancellationToken cancellationToken)
    {
        try
        {
            var then = await _store.ReadAtAsync(_store.Keys.Head, known.HeadRevision, cancellationToken);
            if (then is null || then.ModRevision != known.HeadRevision || !then.Bytes.SequenceEqual(System.Text.Encoding.UTF8.GetBytes(known.HeadToken)))
            {
                var fault = EtcdTrust.Diverged(known);
                await HoldAsync(sight, fault, cancellationToken);
                throw new EtcdDistrustedException(fault);
            }
        }
        catch (EtcdRefusedException refusal) when (refusal.IsCompacted)
        {
            // It has forgotten; the revisions, the other nodes and the followers' epochs are what is left to notice by.
        }
    }

    private async Task LoadAsync(EtcdFacts facts, bool isOther, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        var loaded = await EtcdLoader.LoadAsync(_store, _options, isOther ? null : _catalogue, _logger, cancellationToken);
        var tokens = await EtcdLoader.LoadTokensAsync(_store, _options, _logger, cancellationToken); // newer than the rest, perhaps: what the watch brings again changes nothing
        lock (_knowing)
        {
            _facts = isOther ? facts : _facts;
        }

        _tokens.Load(tokens);
        foreach (var dropped in _catalogue.Load(loaded, isOther))
        {
            EtcdLog.RecordGone(_logger, dropped);
        }

        _following.ContinueAfter(loaded.Revision);
        _isLoaded = true;
        EtcdLog.Loaded(_logger, facts.ClusterId, loaded.Revision, _catalogue.Current.Count, _time.GetElapsedTime(start).TotalMilliseconds);
    }

    // Who has not noticed must not go on with it either. Another cluster's etcd is not ours to stop.
    private async Task HoldAsync(EtcdSight sight, string reason, CancellationToken cancellationToken)
    {
        var known = Facts;
        if (sight.Hold is null && (sight.Cluster is null || sight.Cluster.Id == known.ClusterId))
        {
            var mark = new HoldMark(Environment.MachineName, reason);
            var asSeen = sight.Cluster is { } cluster ? EtcdCompare.Holds(_store.Keys.Cluster, cluster.Encode()) : EtcdCompare.Missing(_store.Keys.Cluster);
            try
            {
                // Not when it was accepted meanwhile.
                await _store.TryAsync([EtcdCompare.Missing(_store.Keys.Hold), asSeen], [EtcdOperation.Put(_store.Keys.Hold, mark.Encode())], cancellationToken);
            }
            catch (Exception e) when (e is EtcdUnavailableException or EtcdRefusedException)
            {
                // The next look tries again.
            }
        }
    }
}
