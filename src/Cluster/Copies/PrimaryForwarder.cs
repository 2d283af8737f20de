using System.Globalization;
using System.Runtime.CompilerServices;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>Passes a call on to the node of a database's primary, over the public contract. One hop only.</summary>
public sealed class PrimaryForwarder(NodeRecord self, IControlPlane control, NodeChannels channels)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(4); // a takeover takes one or two
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

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

    /// <summary>Like <see cref="PrimaryOf"/>, but waits a little for another node to take over.</summary>
    private async ValueTask<NodeRecord> FindPrimaryAsync(DatabaseId id, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; ; waited += _pause)
        {
            try
            {
                return PrimaryOf(id);
            }
            catch (RequestException missing) when (missing.Error.Code == ErrorCodes.NoPrimary && waited < _patience)
            {
                await Task.Delay(_pause, cancellationToken);
            }
        }
    }

    /// <summary>Passes on an Execute. With an idempotency key an answer that was lost on the way is asked for once more.</summary>
    /// <param name="database">Whose primary.</param>
    /// <param name="request">The call as it came in; it belongs to this method from here on.</param>
    /// <param name="readsOnly">SQLite said that it writes nothing: then a lost answer leaves no doubt.</param>
    /// <param name="cancellationToken">Goes along as the end of the call.</param>
    /// <exception cref="RequestException">The primary's own refusal, or why it could not be asked.</exception>
    public async Task<ExecuteResponse> ExecuteAsync(
        DatabaseId database, ExecuteRequest request, bool readsOnly, CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database);
        request.Database = database.ToString(); // a name may come to mean another database while the call travels
        try
        {
            return await channels.ForQueries(await FindPrimaryAsync(database, cancellationToken)).CallAsync(QueryMethods.Execute, request, options, cancellationToken);
        }
        catch (RpcException lost) when (IsLost(lost) && request.IdempotencyKey.Length > 0 && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                var response = await channels.ForQueries(await FindPrimaryAsync(database, cancellationToken)).CallAsync(QueryMethods.Execute, request, options, cancellationToken);
                if (response.Served is { } served)
                {
                    served.TotalAttempts++;
                }

                return response;
            }
            catch (Exception e) when (e is RpcException or RequestException)
            {
                throw OutcomeUnknown(lost); // whatever the second was told: the first may be on its way still
            }
        }
        catch (RpcException failure) when (Translate(failure, readsOnly) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>Passes on a Stream. With an idempotency key one of which nothing came back is asked for once more.</summary>
    /// <inheritdoc cref="ExecuteAsync"/>
    public async IAsyncEnumerable<EncodedResponse> StreamAsync(
        DatabaseId database, StreamRequest request, bool readsOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database);
        request.Database = database.ToString();
        RpcException? lost = null;
        var hasAnswered = false;
        while (true)
        {
            await using var stream = channels.ForQueries(await FindPrimaryAsync(database, cancellationToken)).OpenServerStream(QueryMethods.EncodedStream, request, options, cancellationToken);
            await using var parts = stream.GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await parts.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (RpcException) when (lost is not null)
                {
                    throw OutcomeUnknown(lost);
                }
                catch (RpcException failure) when (
                    IsLost(failure) && !hasAnswered && request.IdempotencyKey.Length > 0 && !cancellationToken.IsCancellationRequested)
                {
                    lost = failure;
                    break;
                }
                catch (RpcException failure) when (Translate(failure, readsOnly) is { } translated)
                {
                    throw translated;
                }

                hasAnswered = true;
                if (lost is not null && parts.Current.Done?.Served is { } served)
                {
                    served.TotalAttempts++;
                }

                yield return parts.Current;
            }
        }
    }

    /// <summary>Passes on a Describe.</summary>
    public Task<DescribeResponse> DescribeAsync(DatabaseId database, DescribeRequest request, CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database);
        request.Database = database.ToString();
        return CallAsync(database, QueryMethods.Describe, request, options, cancellationToken);
    }

    /// <summary>Passes on a GetOutcome.</summary>
    public Task<GetOutcomeResponse> GetOutcomeAsync(DatabaseId database, GetOutcomeRequest request, CancellationToken cancellationToken)
    {
        var options = Options(database, request.Database);
        request.Database = database.ToString();
        return CallAsync(database, QueryMethods.GetOutcome, request, options, cancellationToken);
    }

    /// <summary>Passes on an interactive transaction, both ways, until one side ends.</summary>
    /// <exception cref="RequestException">The primary cannot be reached, or went away; the transaction has ended.</exception>
    public async Task TransactAsync(DatabaseId database, TransactRequest.Types.Begin begin, TransactCall call, CancellationToken cancellationToken)
    {
        var options = Options(database, begin.Database);
        begin.Database = database.ToString();
        await new ForwardedTransaction(channels.ForQueries(await FindPrimaryAsync(database, cancellationToken)), options, call).RunAsync(begin, cancellationToken);
    }

    /// <summary>Marks a call as passed on.</summary>
    /// <param name="database">Which is meant.</param>
    /// <param name="nameOrId">What the client called it.</param>
    /// <exception cref="RpcException"><see cref="Forwarding.Moved"/>: this node knows already that the name is not this database's any more.</exception>
    public CallOptions Options(DatabaseId database, string nameOrId)
    {
        var headers = new Metadata { { Forwarding.Header, self.Id } };
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
            RpcFailureOrigin.InFlight => OutcomeUnknown(failure),
            _ => null,
        };
    }

    // Safe to repeat, both of them.
    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        DatabaseId database, GrpcMethod<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
        where TRequest : class, Google.Protobuf.IMessage<TRequest>, new()
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        try
        {
            return await channels.ForQueries(await FindPrimaryAsync(database, cancellationToken)).CallAsync(method, request, options, cancellationToken);
        }
        catch (RpcException failure) when (Translate(failure, readsOnly: true) is { } translated)
        {
            throw translated;
        }
    }

    private static bool IsLost(RpcException failure) => failure.Origin == RpcFailureOrigin.InFlight && failure.FindDetail<SqlError>() is null;

    private static RequestException OutcomeUnknown(RpcException failure) => new(
        new SqlError { Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = CommitState.Unknown },
        $"The primary went away before it answered ({failure.Detail}). If the request writes, it may have been committed or not.");
}
