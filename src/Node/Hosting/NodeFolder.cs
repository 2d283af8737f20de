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

    private NodeFolder(string path, string nodeId, FileStream folderLock)
    {
        Path = path;
        NodeId = nodeId;
        _lock = folderLock;
    }

    public string Path { get; }

    public string NodeId { get; }

    public string Journal => System.IO.Path.Combine(Path, "journal");

    /// <summary>Opens a node's folder, or makes it.</summary>
    /// <exception cref="InvalidOperationException">It is in use, or belongs to another cluster or region.</exception>
    public static NodeFolder Open(string path, string clusterId, string region, Random random)
    {
        Directory.CreateDirectory(path);
        var folderLock = Lock(path);
        try
        {
            var identity = Read(path) ?? Create(path, clusterId, region, random);
            if (identity.ClusterId != clusterId || identity.Region != region)
            {
                throw new InvalidOperationException(
                    $"The folder '{path}' belongs to a node of region {identity.Region} in cluster {identity.ClusterId}; this is region {region} of cluster {clusterId}. " +
                    "Use that node's own folder, or an empty one.");
            }

            return new NodeFolder(path, identity.NodeId, folderLock);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>What is remembered of this node's journal; <see langword="null"/> before the first start.</summary>
    public JournalRecord? KnownJournal => Read(Path) is { JournalId: { } id } identity ? new JournalRecord(id, identity.JournalGroup) : null;

    /// <summary>Remembers the journal durably: one that is emptied, replaced or brought back from an older copy is noticed at the next start.</summary>
    public void Remember(JournalRecord journal) => Write(Path, Read(Path)! with { JournalId = journal.Id, JournalGroup = journal.LastGroup });

    /// <summary>The folder of one database's copy, whichever role it has: a new primary goes on with the file of the replica that was here.</summary>
    public string CopyOf(DatabaseId database) => System.IO.Path.Combine(Copies, database.ToString());

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

    private static Identity Create(string path, string clusterId, string region, Random random)
    {
        Span<byte> bytes = stackalloc byte[6];
        random.NextBytes(bytes);
        var identity = new Identity(clusterId, $"{region}-{Convert.ToHexStringLower(bytes)}", region);
        Write(path, identity);
        return identity;
    }

    private static void Write(string path, Identity identity) =>
        DurableFile.Write(System.IO.Path.Combine(path, IdentityFile), JsonSerializer.SerializeToUtf8Bytes(identity));

    private sealed record Identity(string ClusterId, string NodeId, string Region, Guid? JournalId = null, ulong JournalGroup = 0);
}
