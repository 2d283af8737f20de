using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicatedSqlite.Cluster;

/// <summary>How messages look on etcd's HTTP gateway: JSON with the names of etcd's <c>rpc.proto</c>, bytes in base64, 64-bit numbers as text, nothing where the value is zero.</summary>
internal static class EtcdJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
    };
}

internal sealed record EtcdHeader(ulong ClusterId, long Revision);

internal sealed record EtcdKeyValue(byte[] Key, long CreateRevision, long ModRevision, byte[]? Value, long Lease)
{
    [JsonIgnore]
    public ReadOnlySpan<byte> Bytes => Value ?? [];
}

internal sealed record RangeRequest
{
    public required byte[] Key { get; init; }

    public byte[]? RangeEnd { get; init; }

    public long? Limit { get; init; }

    public long? Revision { get; init; }
}

internal sealed record RangeResponse(EtcdHeader Header, EtcdKeyValue[]? Kvs, bool More)
{
    [JsonIgnore]
    public EtcdKeyValue? First => Kvs is { Length: > 0 } found ? found[0] : null;
}

internal sealed record PutRequest(byte[] Key, byte[] Value, long? Lease = null);

internal sealed record DeleteRangeRequest(byte[] Key);

/// <summary>One condition of a transaction; one of the three last is set.</summary>
internal sealed record EtcdCompare(
    byte[] Key, string Target, string Result, long? CreateRevision = null, long? ModRevision = null, byte[]? Value = null)
{
    public static EtcdCompare Missing(byte[] key) => new(key, "CREATE", "EQUAL", CreateRevision: 0);

    public static EtcdCompare Unchanged(byte[] key, long modRevision) => new(key, "MOD", "EQUAL", ModRevision: modRevision);

    public static EtcdCompare NotOlder(byte[] key, long modRevision) => new(key, "MOD", "GREATER", ModRevision: modRevision - 1);

    public static EtcdCompare Holds(byte[] key, byte[] value) => new(key, "VALUE", "EQUAL", Value: value);
}

/// <summary>One step of a transaction; one of the three is set.</summary>
internal sealed record EtcdOperation(RangeRequest? RequestRange = null, PutRequest? RequestPut = null, DeleteRangeRequest? RequestDeleteRange = null)
{
    public static EtcdOperation Get(byte[] key) => new(RequestRange: new RangeRequest { Key = key });

    public static EtcdOperation GetAll(byte[] prefix) => new(RequestRange: new RangeRequest { Key = prefix, RangeEnd = EtcdKeys.EndOf(prefix) });

    public static EtcdOperation Put(byte[] key, byte[] value, long? lease = null) => new(RequestPut: new PutRequest(key, value, lease));

    public static EtcdOperation Delete(byte[] key) => new(RequestDeleteRange: new DeleteRangeRequest(key));
}

internal sealed record TxnRequest(IReadOnlyList<EtcdCompare> Compare, IReadOnlyList<EtcdOperation> Success, IReadOnlyList<EtcdOperation> Failure);

internal sealed record TxnResponse(EtcdHeader Header, bool Succeeded, EtcdAnswer[]? Responses);

internal sealed record EtcdAnswer(RangeResponse? ResponseRange);

internal sealed record LeaseGrantRequest([property: JsonPropertyName("TTL")] long Ttl);

internal sealed record LeaseRequest([property: JsonPropertyName("ID")] long Id);

internal sealed record LeaseResponse(EtcdHeader Header, [property: JsonPropertyName("ID")] long Id, [property: JsonPropertyName("TTL")] long Ttl);

internal sealed record HeaderResponse(EtcdHeader Header);

internal sealed record AuthenticateRequest(string Name, string Password);

internal sealed record AuthenticateResponse(string Token);

internal sealed record WatchRequest(WatchCreateRequest CreateRequest);

internal sealed record WatchCreateRequest(byte[] Key, byte[] RangeEnd, long StartRevision, bool Fragment = true);

/// <summary>What a stream carries in each line: a result, or why it ended.</summary>
internal sealed record EtcdStreamed<T>(T? Result, EtcdFailure? Error);

internal sealed record WatchResponse(EtcdHeader Header, bool Created, bool Canceled, long CompactRevision, string? CancelReason, bool Fragment, EtcdEvent[]? Events);

internal sealed record EtcdEvent(string? Type, EtcdKeyValue Kv)
{
    [JsonIgnore]
    public bool IsDelete => Type == "DELETE"; // a put names no type
}

internal sealed record EtcdFailure(string? Message, int? Code, int? GrpcCode);
