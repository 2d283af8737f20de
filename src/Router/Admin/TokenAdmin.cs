using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Creates, lists and revokes access tokens.</summary>
internal sealed class TokenAdmin(RouterContext context)
{
    private const int MaxNameLetters = 100;
    private const int MaxDatabases = 1_000;

    public async ValueTask<CreateTokenResponse> CreateAsync(CreateTokenRequest request, ServerCallContext call)
    {
        var databases = ImmutableArray.CreateBuilder<DatabaseId>();
        Check(request);
        foreach (var nameOrId in request.Databases.Distinct(StringComparer.Ordinal))
        {
            var database = await context.Control.FindNewestAsync(nameOrId, call.CancellationToken) ?? throw DatabaseNames.NotFound(nameOrId);
            databases.Add(database.Id); // not the name, which may go to another database
        }

        var text = TokenText.Create();
        var record = new TokenRecord
        {
            Id = text.Id,
            Name = request.Name,
            SecretHash = text.SecretHash,
            Right = request.Right,
            Databases = [.. databases.Distinct()],
            CreatedAt = ToMicroseconds(context.Time.GetUtcNow()),
            ExpiresAt = request.ExpiresAt is { } end ? ToMicroseconds(end.ToDateTimeOffset()) : null,
        };
        await context.Control.Tokens.AddAsync(record, call.CancellationToken);
        RouterLog.TokenCreated(context.Logger, record.Id, record.Right.ToString(), record.Databases.IsEmpty ? "all" : $"{record.Databases.Length}", call.Caller().Describe());
        return new CreateTokenResponse { Token = Describe(record), Secret = text.Reveal() };
    }

    public async ValueTask<ListTokensResponse> ListAsync(ServerCallContext call)
    {
        var response = new ListTokensResponse();
        response.Tokens.AddRange((await context.Control.Tokens.ListAsync(call.CancellationToken)).Select(Describe));
        return response;
    }

    public async ValueTask<RevokeTokenResponse> RevokeAsync(RevokeTokenRequest request, ServerCallContext call)
    {
        var id = TokenText.IdOf(request.Id); // whoever found a token that leaked has all of it at hand
        if (!TokenText.IsId(id) || !await context.Control.Tokens.RemoveAsync(id, call.CancellationToken))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "There is no token of this id. ListTokens shows those that there are; a revoked one is gone.");
        }

        RouterLog.TokenRevoked(context.Logger, id, call.Caller().Describe());
        return new RevokeTokenResponse();
    }

    private void Check(CreateTokenRequest request)
    {
        if (request.Name.Length is 0 or > MaxNameLetters || request.Name.Any(char.IsControl))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"A token needs a name of 1 to {MaxNameLetters} characters that says what it is for.");
        }

        if (request.Right is not (Right.Read or Right.Write or Right.Admin))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "A token needs a right: read, write or admin.");
        }

        if (request.Databases.Count > MaxDatabases)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"A token for {request.Databases.Count} databases; at most {MaxDatabases} are taken, or none for all.");
        }

        if (request.ExpiresAt is { } end && !(IsTime(end) && end.ToDateTimeOffset() > context.Time.GetUtcNow()))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "expires_at is in the past, or no time. Leave it unset for a token that does not expire.");
        }
    }

    private static bool IsTime(Timestamp time) => time.Nanos is >= 0 and < 1_000_000_000 && time.Seconds is >= -62_135_596_800 and <= 253_402_300_799;

    private Token Describe(TokenRecord record)
    {
        var token = new Token
        {
            Id = record.Id,
            Name = record.Name,
            Right = record.Right,
            CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
            ExpiresAt = record.ExpiresAt is { } end ? Timestamp.FromDateTimeOffset(end) : null,
            LastUsedAt = record.LastUsedAt is { } used ? Timestamp.FromDateTimeOffset(used) : null,
        };
        token.Databases.AddRange(record.Databases.Select(id => context.Control.Find(id)?.Name ?? id.ToString()));
        return token;
    }

    private static DateTimeOffset ToMicroseconds(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond)); // as it is kept
}
