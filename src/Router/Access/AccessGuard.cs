using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>Lets in who may call: nodes into the internal services, clients by token into the public ones, and everybody to health and reflection.</summary>
/// <remarks>
/// Whom the call's client is taken for is left as <see cref="ServerCallContext.Identity"/>. Which databases it sees is for the handlers, which know the name
/// that a call uses: <see cref="NameResolver"/> does it for all of them. A call that a node passes on brings the caller whom that node found.
/// </remarks>
public sealed class AccessGuard : ICallGuard, IAsyncDisposable
{
    private const string Internal = "replicatedsqlite.internal.";
    private const string Public = "replicatedsqlite.";
    private const string Scheme = "Bearer ";

    private static readonly string[] _furtherHeaders = [.. Forwarding.FurtherHeaders];

    private readonly NodeProof _nodes;
    private readonly bool _requiresTokens;
    private readonly TokenCheck _tokens;
    private readonly TokenUse _use;
    private readonly RefusalLog _refusals;

    /// <param name="nodes">Tells nodes from clients.</param>
    /// <param name="tokens">The cluster's tokens.</param>
    /// <param name="options">Whether clients on this machine need one.</param>
    /// <param name="time">When tokens expire.</param>
    /// <param name="logger">Told of refusals, without secrets.</param>
    public AccessGuard(NodeProof nodes, ITokenStore tokens, RouterOptions options, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _nodes = nodes;
        _requiresTokens = options.RequireTokens;
        _tokens = new TokenCheck(tokens, time);
        _use = new TokenUse(tokens, time, logger);
        _refusals = new RefusalLog(time, logger);
    }

    /// <inheritdoc/>
    public Func<ServerCallContext, ValueTask>? CheckOf(string service, string method)
    {
        ArgumentNullException.ThrowIfNull(service);
        var name = $"{service}/{method}";
        if (service.StartsWith(Internal, StringComparison.Ordinal))
        {
            return call =>
            {
                RequireNode(call, name, $"{service} is for nodes among themselves");
                return ValueTask.CompletedTask;
            };
        }

        var rule = AccessRule.Of(service, method);
        return service.StartsWith(Public, StringComparison.Ordinal) ? call => CheckAsync(call, rule, name) : null; // health and reflection tell nothing that is kept here
    }

    /// <summary>
    /// Whether an HTTP request that is no gRPC call may be looked at: somebody on this machine, or with a token that reads all, as is wanted for what tells about the cluster,
    /// or that reads anything, for what makes calls of the contract, which are checked one by one.
    /// </summary>
    /// <param name="http">The request. Of its body nothing is read.</param>
    /// <param name="ofCluster">A token for some databases is not enough.</param>
    /// <param name="cancellationToken">Ends a question to the control plane.</param>
    /// <exception cref="RequestException">It may not.</exception>
    public async ValueTask CheckHttpAsync(HttpContext http, bool ofCluster, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(http);
        var connection = http.Connection;
        var peer = $"{connection.RemoteIpAddress}:{connection.RemotePort}";
        var path = http.Request.Path.Value ?? "/";
        var authorization = http.Request.Headers.Authorization is { Count: > 0 } values ? values.ToString() : null;
        var caller = await IdentifyAsync(authorization, ServerCallContext.IsLoopback(connection.RemoteIpAddress), peer, path, cancellationToken);
        Require(caller, new AccessRule(Protocol.V1.Right.Read, ofCluster), peer, path);
    }

    /// <summary>Logs a refusal that came from the copy that was to carry the call out: only SQLite can say that SQL writes.</summary>
    internal void Tell(RequestException failure, ServerCallContext call, string name)
    {
        if (failure.Error.Code == ErrorCodes.TokenLacksRight && !call.TryGetRequestHeader(Forwarding.Header, out _))
        {
            _refusals.Tell(failure.Error.Code, call.Caller().TokenId, call.Peer, name);
        }
    }

    /// <summary>Notes when tokens were last used, a last time.</summary>
    public ValueTask DisposeAsync()
    {
        _tokens.Dispose();
        return _use.DisposeAsync();
    }

    private ValueTask CheckAsync(ServerCallContext call, AccessRule rule, string name)
    {
        if (call.TryGetRequestHeader(Forwarding.Header, out _))
        {
            RequireNode(call, name, $"The metadata {Forwarding.Header} is for nodes among themselves");
            call.TryGetRequestHeader(Forwarding.CallerHeader, out var text);
            call.Identity = Caller.FromHeader(text) ?? throw new RequestException(ErrorCodes.InvalidRequest, $"A node passed a call on and did not say for whom ({Forwarding.CallerHeader}).");
            Require((Caller)call.Identity, rule, call.Peer, name);
            return ValueTask.CompletedTask;
        }

        foreach (var header in _furtherHeaders)
        {
            if (call.TryGetRequestHeader(header, out _))
            {
                RequireNode(call, name, $"The metadata {header} is for nodes among themselves");
            }
        }

        call.TryGetRequestHeader("authorization", out var authorization);
        var identifying = IdentifyAsync(authorization, call.IsFromLoopback, call.Peer, name, call.CancellationToken);
        if (!identifying.IsCompletedSuccessfully)
        {
            return FinishAsync(identifying.AsTask());
        }

        var caller = identifying.GetAwaiter().GetResult();
        call.Identity = caller;
        Require(caller, rule, call.Peer, name);
        return ValueTask.CompletedTask;

        async ValueTask FinishAsync(Task<Caller> pending)
        {
            var found = await pending;
            call.Identity = found;
            Require(found, rule, call.Peer, name);
        }
    }

    private void RequireNode(ServerCallContext call, string name, string what)
    {
        if (!_nodes.IsNode(call))
        {
            throw _refusals.Refuse(ErrorCodes.TokenLacksRight, $"{what}, and this peer has not shown {_nodes.Wanted}. Nothing was done.", null, call.Peer, name);
        }
    }

    private ValueTask<Caller> IdentifyAsync(string? authorization, bool isFromLoopback, string peer, string name, CancellationToken cancellationToken)
    {
        if (authorization is null)
        {
            return isFromLoopback && !_requiresTokens
                ? ValueTask.FromResult(Caller.Anonymous)
                : throw _refusals.Refuse(
                    ErrorCodes.TokenMissing,
                    "This call needs a token: send the metadata 'authorization: Bearer rs_…'. 'rsql token create' on a node's own machine makes one. Nothing was done.",
                    null, peer, name);
        }

        // A token that is sent counts also where none is needed: who sends one means to be held to it.
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || !TokenText.TryParse(authorization.AsSpan(Scheme.Length).Trim(), out var token))
        {
            throw _refusals.Refuse(
                ErrorCodes.TokenInvalid, "The metadata 'authorization' holds no token of this product: 'Bearer rs_' with 16 and 64 hex digits and a '_' between was wanted. Nothing was done.", null, peer, name);
        }

        return _tokens.Find(token) is { } record ? ValueTask.FromResult(Admit(token, record, peer, name)) : FindNewestAsync(token, peer, name, cancellationToken);
    }

    private async ValueTask<Caller> FindNewestAsync(TokenText token, string peer, string name, CancellationToken cancellationToken) =>
        Admit(token, await _tokens.FindNewestAsync(token, cancellationToken), peer, name);

    private Caller Admit(TokenText token, TokenRecord? record, string peer, string name)
    {
        // Somebody who only guessed an id is told no more than somebody who made one up.
        if (record is null || !token.Opens(record))
        {
            throw _refusals.Refuse(ErrorCodes.TokenInvalid, "This token is not known here: it was revoked, or belongs to another cluster. Nothing was done.", token.Id, peer, name);
        }

        if (_tokens.HasExpired(record))
        {
            throw _refusals.Refuse(ErrorCodes.TokenInvalid, $"The token {record.Id} expired at {record.ExpiresAt:u}. Nothing was done; ask for a new one.", token.Id, peer, name);
        }

        _use.Note(record.Id);
        return TokenCheck.CallerOf(record);
    }

    private void Require(Caller caller, AccessRule rule, string peer, string name)
    {
        if (caller.Right < rule.Right)
        {
            throw _refusals.Refuse(
                ErrorCodes.TokenLacksRight, $"{caller.Describe()} has the right to {caller.Right}, and this call needs {rule.Right}. Nothing was done.", caller.TokenId, peer, name);
        }

        if (rule.OfCluster && caller.Databases is not null)
        {
            throw _refusals.Refuse(
                ErrorCodes.TokenLacksRight, $"{caller.Describe()} is for some databases, and this call concerns the whole cluster. Nothing was done.", caller.TokenId, peer, name);
        }
    }
}
