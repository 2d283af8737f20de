using System.Text.Json;
using System.Text.Json.Serialization;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What is stored of a record, as JSON: in the embedded control plane's file, in etcd, and in what a node remembers of it. Fields are added, never renamed.</summary>
internal sealed record StoredDatabase(
    Guid Id, string Name, long CreatedAtMicroseconds, string PrimaryRegion, string PrimaryNode, bool Replicated, string[] ReplicaRegions, string Profile,
    int PageSizeBytes, uint Epoch, FollowerPlace[]? Followers = null, int Quorum = 0, int? WantedFollowers = null, int? WantedQuorum = null,
    long Revision = 0, long NameRevision = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] string? BeginsAt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool AcceptsLoss = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] uint LeastEpoch = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long? RetentionSeconds = null)
{
    /// <summary>Fields that this version does not know. They are a newer one's, whose nodes may share the catalogue, and are written back as they were.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; init; }

    public static byte[] Encode(DatabaseRecord database) => JsonSerializer.SerializeToUtf8Bytes(Of(database));

    public static string EncodeText(DatabaseRecord database) => JsonSerializer.Serialize(Of(database));

    /// <summary>Whether two records say the same. Records themselves compare their lists by reference.</summary>
    public static bool AreSame(DatabaseRecord one, DatabaseRecord other) => Encode(one).AsSpan().SequenceEqual(Encode(other));

    /// <exception cref="JsonException">It is no record.</exception>
    public static DatabaseRecord Decode(string json) => Decode(System.Text.Encoding.UTF8.GetBytes(json));

    /// <exception cref="JsonException">It is no record.</exception>
    public static DatabaseRecord Decode(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<StoredDatabase>(json)?.ToRecord() ?? throw new JsonException("A database's record is wanted; null was found.");

    public static StoredDatabase Of(DatabaseRecord d) => new(
        d.Id.Value, d.Name, d.CreatedAt.UtcTicks / TimeSpan.TicksPerMicrosecond, d.PrimaryRegion, d.PrimaryNode, d.Replicated, [.. d.ReplicaRegions], d.Profile,
        d.PageSizeBytes, d.Epoch, [.. d.Followers], d.Quorum, d.WantedFollowers, d.WantedQuorum, d.Revision, d.NameRevision,
        d.BeginsAt?.ToString(), d.AcceptsLoss, d.LeastEpoch, (long?)d.Retention?.TotalSeconds) { More = d.More };

    // Regions, nodes and profiles are few, and databases many: they share the strings and the lists.
    public DatabaseRecord ToRecord() => new()
    {
        Id = new DatabaseId(Id),
        Name = Name,
        CreatedAt = new DateTimeOffset(CreatedAtMicroseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero),
        PrimaryRegion = string.Intern(PrimaryRegion),
        PrimaryNode = string.Intern(PrimaryNode),
        Replicated = Replicated,
        ReplicaRegions = SharedLists.Share(ReplicaRegions),
        Profile = string.Intern(Profile),
        PageSizeBytes = PageSizeBytes,
        Epoch = Epoch,
        Followers = SharedLists.Share(Followers ?? []),
        Quorum = Quorum,
        WantedFollowers = WantedFollowers,
        WantedQuorum = WantedQuorum,
        Revision = Revision,
        NameRevision = NameRevision,
        BeginsAt = BeginsAt is null ? null : Position.Parse(BeginsAt),
        AcceptsLoss = AcceptsLoss,
        LeastEpoch = LeastEpoch,
        Retention = RetentionSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        More = More,
    };
}
