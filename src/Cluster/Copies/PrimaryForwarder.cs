using System.Globalization;
using System.Runtime.CompilerServices;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>Passes a call on to the node of a database's primary, over the public contract. One hop only.</summary>
public sealed class PrimaryForwarder(NodeRecord self, IControlPlane control, NodeChannels channels, NodeReach reach, TimeProvider time)
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50); // between two looks at who leads

    /// <summary>The node whose primary takes the writes, as the control plane says now.</summary>
    /// <exception cref="RequestException">There is no such database, or its node is not alive.</exception>
    public NodeRecord PrimaryOf(DatabaseId id)
    {
        var database = control.Find(id) ?? throw new RequestException(ErrorCodes.DatabaseNotFound, $"The database {id} does not exist any more.");
        if (control.Nodes.FirstOrDefault(node => node.Id == database.PrimaryNode) is { } primary)
        {
            return primary;
        }

        Missing?.Invoke(database);
        throw new RequestException(ErrorCodes.NoPrimary, $"The primary of '{database.Name}' is on node {database.PrimaryNode}, which is not alive. Nothing was done; try again.");
    }

    /// <summary>Told of a database whose primary's node is not alive, when somebody wants it. Set once, before the first call.</summary>
    public Action<DatabaseRecord>? Missing { get; set; }

    /// <summary>Watches a call to a primary, and ends it when it hangs while another node leads.</summary>
    public PrimaryWatch Watch(NodeRecord primary, DatabaseId database, CancellationToken cancellationToken) => new(control, reach, primary, database, time, cancellationToken);

    /// <summary>Like <see cref="PrimaryOf"/>, but waits a little for another node to take over. A node that does not answer is not asked: then nobody could say what came of it.</summary>
    private async ValueTask<NodeRecord> FindPrimaryAsync(DatabaseId id, ForwardTries tries, CancellationToken cancellationToken)
    {
        tries.Query?.Stage = tries.Stage;
        while (true)
        {
            try
            {
                var primary = PrimaryOf(id);
                if (!reach.IsSilent(primary.Id))
                {
                    tries.Query?.Stage = RequestStage.Forwarded;
                    cancellationToken.ThrowIfCancellationRequested(); // who ended it before that was told that nothing was done
                    return primary;
                }

                throw new RequestException(ErrorCodes.NoPrimary, $"Node {primary.Id}, which leads the database {id}, does not answer. Nothing was done; try again.");
            }
            catch (RequestException missing) when (missing.Error.Code == ErrorCodes.NoPrimary && tries.Left > TimeSpan.Zero)
            {
                await Task.Delay(_pause, time, cancellationToken);
            }
        }
    }

    /// <summary>Passes on an Execute, and tries again for a while where that is safe: what was certainly not done, reads, and writes with an idempotency key.</summary>
    /// <param name="database">Whose primary.</param>
    /// <param name="request">The call as it came in; it belongs to this method from here on.</param>
    /// <param name="caller">Who made it.</param>
    /// <param name="readsOnly">SQLite said that it writes nothing: then a lost answer leaves no doubt.</param>
    /// <param name="query">The call as operators see it.</param>
    /// <param name="cancellationToken">Goes along as the end of the call.</param>
    /// <exception cref="RequestException">The primary's own refusal, or why it could not be asked.</exception>
    public async Task<ExecuteResponse> ExecuteAsync(
        DatabaseId database, ExecuteRequest request, Caller caller, bool readsOnly, RunningQuery? query, CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database, caller, query);
        request.Database = database.ToString(); // a name may come to mean another database while the call travels
        var tries = new ForwardTries(time, readsOnly || PlainReads.Are(request.Statements), request.IdempotencyKey.Length > 0) { Query = query };
        var response = await CallAsync(database, QueryMethods.Execute, request, options, tries, cancellationToken);
        if (response.Served is { } served)
        {
            served.TotalAttempts += (uint)tries.Failed;
        }

        return response;
    }

    /// <summary>Passes on a Stream. One of which something came back already is not asked for again.</summary>
    /// <inheritdoc cref="ExecuteAsync"/>
    public async IAsyncEnumerable<EncodedResponse> StreamAsync(
        DatabaseId database, StreamRequest request, Caller caller, bool readsOnly, RunningQuery? query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database, caller, query);
        request.Database = database.ToString();
        var tries = new ForwardTries(time, readsOnly || PlainReads.Are(request.Statements), request.IdempotencyKey.Length > 0) { Query = query };
        var hasAnswered = false;
        while (true)
        {
            NodeRecord? primary = null;
            Exception? failure = null;
            try
            {
                primary = await FindPrimaryAsync(database, tries, cancellationToken);
            }
            catch (RequestException e)
            {
                throw tries.Explain(e);
            }

            using var watch = Watch(primary, database, cancellationToken);
            await using var stream = channels.ForQueries(primary).OpenServerStream(QueryMethods.EncodedStream, request, options, watch.Token);
            await using var parts = stream.GetAsyncEnumerator(watch.Token);
            while (true)
            {
                try
                {
                    if (!await parts.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (OperationCanceledException) when (watch.IsCut && !cancellationToken.IsCancellationRequested)
                {
                    failure = new PrimaryLostException(primary.Id);
                    break;
                }
                catch (RpcException e) when (!Forwarding.IsMoved(e) || tries.Failed > 0)
                {
                    failure = e;
                    break;
                }

                hasAnswered = true;
                if (parts.Current.Done?.Served is { } served)
                {
                    served.TotalAttempts += (uint)tries.Failed;
                }

                yield return parts.Current;
            }

            if (hasAnswered)
            {
                throw tries.Explain(failure);
            }

            await tries.AgainAsync(failure, LeadsElsewhere(database, primary), cancellationToken);
        }
    }

    /// <summary>Passes on a Describe.</summary>
    public Task<DescribeResponse> DescribeAsync(DatabaseId database, DescribeRequest request, Caller caller, RunningQuery? query, CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database, caller, query);
        request.Database = database.ToString();
        return CallAsync(database, QueryMethods.Describe, request, options, new ForwardTries(time, readsOnly: true, isKeyed: false) { Query = query }, cancellationToken);
    }

    /// <summary>Passes on a GetOutcome.</summary>
    public Task<GetOutcomeResponse> GetOutcomeAsync(DatabaseId database, GetOutcomeRequest request, Caller caller, RunningQuery? query, CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database, caller, query);
        request.Database = database.ToString();
        return CallAsync(database, QueryMethods.GetOutcome, request, options, new ForwardTries(time, readsOnly: true, isKeyed: false) { Query = query }, cancellationToken); // safe to repeat
    }

    /// <summary>Passes on an interactive transaction, both ways, until one side ends.</summary>
    /// <exception cref="RequestException">The primary cannot be reached, or went away; the transaction has ended.</exception>
    public async Task TransactAsync(DatabaseId database, TransactRequest.Types.Begin begin, TransactCall call, Caller caller, RunningQuery? query, CancellationToken cancellationToken)
    {
        var options = Options(database, begin.Database, caller, query);
        begin.Database = database.ToString();
        var primary = await FindPrimaryAsync(database, new ForwardTries(time, readsOnly: false, isKeyed: false) { Query = query }, cancellationToken);
        using var watch = Watch(primary, database, cancellationToken);
        var transaction = new ForwardedTransaction(channels.ForQueries(primary), options, call);
        try
        {
            await transaction.RunAsync(begin, watch.Token);
        }
        catch (OperationCanceledException) when (watch.IsCut && !cancellationToken.IsCancellationRequested)
        {
            throw transaction.Commits
                ? ForwardTries.OutcomeUnknown(new PrimaryLostException(primary.Id).Message)
                : new RequestException(ErrorCodes.NoPrimary, $"{new PrimaryLostException(primary.Id).Message} The transaction was rolled back. Nothing was done; begin again.");
        }
    }

    /// <summary>Marks a call as passed on.</summary>
    /// <param name="database">Which is meant.</param>
    /// <param name="nameOrId">What the client called it.</param>
    /// <param name="caller">Who the client is, to whom the database is visible.</param>
    /// <param name="query">The call as operators see it.</param>
    /// <exception cref="RpcException"><see cref="Forwarding.Moved"/>: this node knows already that the name is not this database's any more.</exception>
    public CallOptions Options(DatabaseId database, string nameOrId, Caller caller, RunningQuery? query = null)
    {
        var headers = new Metadata { { Forwarding.Header, self.Id }, { Forwarding.CallerHeader, caller.ToHeader(database) } };
        if (query is not null)
        {
            headers.Add(Forwarding.QueryHeader, query.Id);
        }

        if (control.Find(database) is { } record && nameOrId != record.Id.ToString())
        {
            var isById = Guid.TryParse(nameOrId, out _); // no name looks like one
            if (!isById && nameOrId != record.Name)
            {
                throw Forwarding.Moved(database);
            }

            if (!isById)
            {
                headers.Add(Forwarding.RevisionHeader, record.Revision.ToString(CultureInfo.InvariantCulture));
            }
        }

        return new() { Headers = headers };
    }

    /// <summary>The primary's own words stay as they are; the transport's become the contract's.</summary>
    public static RequestException? Translate(RpcException failure, bool readsOnly)
    {
        if (failure.FindDetail<SqlError>() is { } error)
        {
            return new RequestException(error, failure.Detail);
        }

        return failure.Origin switch
        {
            RpcFailureOrigin.NotSent => new RequestException(
                ErrorCodes.NoPrimary, $"The primary could not be reached ({failure.Detail}). Nothing was done; try again."),
            RpcFailureOrigin.InFlight when readsOnly => new RequestException(
                ErrorCodes.NoPrimary, $"The primary went away before it answered ({failure.Detail}). Nothing was written; try again."),
            RpcFailureOrigin.InFlight => ForwardTries.OutcomeUnknown(failure.Detail),
            _ => null,
        };
    }

    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        DatabaseId database, GrpcMethod<TRequest, TResponse> method, TRequest request, CallOptions options, ForwardTries tries, CancellationToken cancellationToken)
        where TRequest : class, Google.Protobuf.IMessage<TRequest>, new()
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        while (true)
        {
            NodeRecord primary;
            try
            {
                primary = await FindPrimaryAsync(database, tries, cancellationToken);
            }
            catch (RequestException e)
            {
                throw tries.Explain(e);
            }

            Exception failure;
            using (var watch = Watch(primary, database, cancellationToken))
            {
                try
                {
                    return await channels.ForQueries(primary).CallAsync(method, request, options, watch.Token);
                }
                catch (OperationCanceledException) when (watch.IsCut && !cancellationToken.IsCancellationRequested)
                {
                    failure = new PrimaryLostException(primary.Id);
                }
                catch (RpcException e) when (!Forwarding.IsMoved(e) || tries.Failed > 0)
                {
                    failure = e;
                }
            }

            await tries.AgainAsync(failure, LeadsElsewhere(database, primary), cancellationToken);
        }
    }

    private bool LeadsElsewhere(DatabaseId database, NodeRecord asked) => control.Find(database) is { } record && record.PrimaryNode != asked.Id;
}
