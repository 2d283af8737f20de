using System.Text.Json;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>A node's folder: who it belongs to, and where everything in it lies. Locked against a second process as long as it is open.</summary>
internal sealed class NodeFolder : IAsyncDisposable
{
    private const string IdentityFile = "node.json";

    private readonly FileStream _lock;
    private string? _nodeId; // set by Claim

    private NodeFolder(string path, FileStream folderLock)
    {
        Path = path;
        _lock = folderLock;
    }

    public string Path { get; }

    /// <summary>The node that it belongs to.</summary>
    public string NodeId => _nodeId ?? throw new InvalidOperationException("The folder is nobody's yet.");

    public string Journal => System.IO.Path.Combine(Path, "journal");

    /// <summary>Opens a folder, or makes it, and locks it.</summary>
    /// <exception cref="InvalidOperationException">It is in use, or cannot be made.</exception>
    public static NodeFolder Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"The folder '{path}' cannot be made: {e.Message}", e);
        }

        return new NodeFolder(path, Lock(path));
    }

    /// <summary>Makes it the folder of one node of one cluster, or finds that it is.</summary>
    /// <param name="clusterId">Of the cluster that the node belongs to.</param>
    /// <param name="region">Where the node stands.</param>
    /// <param name="zone">Where in the region; empty when the region is one zone.</param>
    /// <param name="nodeId">The node's name; <see langword="null"/>: the one that is in the folder, or a new one.</param>
    /// <param name="random">Makes the name up.</param>
    /// <exception cref="InvalidOperationException">It belongs to another cluster, region, zone or node.</exception>
    public void Claim(string clusterId, string region, string zone, string? nodeId, Random random)
    {
        var identity = Read(Path) ?? Create(Path, clusterId, region, zone, nodeId, random);
        if (identity.ClusterId != clusterId || identity.Region != region || (nodeId is not null && identity.NodeId != nodeId))
        {
            throw new InvalidOperationException(
                $"The folder '{Path}' belongs to node {identity.NodeId} of region {identity.Region} in cluster {identity.ClusterId}; " +
                $"this is {(nodeId is null ? "a node" : $"node {nodeId}")} of region {region} of cluster {clusterId}. Use that node's own folder, or an empty one.");
        }

        if (identity.Zone is { } known && known != zone)
        {
            throw new InvalidOperationException(
                $"The folder '{Path}' belongs to a node in {Describe(known)}; this one is in {Describe(zone)}. Use that node's own folder, or an empty one. " +
                $"If the node itself has moved, change \"Zone\" in '{System.IO.Path.Combine(Path, IdentityFile)}'.");
        }

        if (identity.Zone is null)
        {
            Write(Path, identity with { Zone = zone }); // it was made before there were zones
        }

        _nodeId = identity.NodeId;
    }

    /// <summary>What is remembered of this node's journal; <see langword="null"/> before the first start.</summary>
    public JournalRecord? KnownJournal => Read(Path) is { JournalId: { } id } identity ? new JournalRecord(id, identity.JournalGroup) : null;

    /// <summary>Remembers the journal durably: one that is emptied, replaced or brought back from an older copy is noticed at the next start.</summary>
    public void Remember(JournalRecord journal) => Write(Path, Read(Path)! with { JournalId = journal.Id, JournalGroup = journal.LastGroup });

    /// <summary>The folder of one database's copy, whichever role it has: a new primary goes on with the file of the replica that was here.</summary>
    public string CopyOf(DatabaseId database) => System.IO.Path.Combine(Copies, database.ToString());

    /// <summary>The folder of files that are sent or received, empty: what an earlier process left there belongs to calls that have ended with it.</summary>
    public string NewTransfers()
    {
        var transfers = System.IO.Path.Combine(Path, "transfers");
        if (Directory.Exists(transfers))
        {
            Directory.Delete(transfers, recursive: true);
        }

        Directory.CreateDirectory(transfers);
        return transfers;
    }

    /// <summary>Removes what there is of a database. No connection is open on it.</summary>
    public void Remove(DatabaseId database)
    {
        if (Directory.Exists(CopyOf(database)))
        {
            Directory.Delete(CopyOf(database), recursive: true);
        }
    }

    /// <summary>Databases that have files here.</summary>
    public IEnumerable<DatabaseId> Databases() => !Directory.Exists(Copies)
        ? []
        : Directory.EnumerateDirectories(Copies)
            .Select(System.IO.Path.GetFileName)
            .Where(name => Guid.TryParse(name, out _))
            .Select(name => new DatabaseId(Guid.Parse(name!)));

    private string Copies => System.IO.Path.Combine(Path, "copies");

    public ValueTask DisposeAsync() => _lock.DisposeAsync();

    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, "lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new InvalidOperationException($"The folder '{path}' is in use by another process ('{file}' is locked). Stop that one first.", e);
        }
    }

    private static Identity? Read(string path)
    {
        var file = System.IO.Path.Combine(path, IdentityFile);
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<Identity>(File.ReadAllBytes(file)) : null;
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"'{file}' cannot be read: {e.Message} Bring it back from a backup, or use an empty folder.", e);
        }
    }

    private static string Describe(string zone) => zone.Length == 0 ? "no zone" : $"zone {zone}";

    private static Identity Create(string path, string clusterId, string region, string zone, string? nodeId, Random random)
    {
        Span<byte> bytes = stackalloc byte[6];
        random.NextBytes(bytes);
        var identity = new Identity(clusterId, nodeId ?? $"{region}-{Convert.ToHexStringLower(bytes)}", region, Zone: zone);
        Write(path, identity);
        return identity;
    }

    private static void Write(string path, Identity identity) =>
        DurableFile.Write(System.IO.Path.Combine(path, IdentityFile), JsonSerializer.SerializeToUtf8Bytes(identity));

    private sealed record Identity(string ClusterId, string NodeId, string Region, Guid? JournalId = null, ulong JournalGroup = 0, string? Zone = null);
}
