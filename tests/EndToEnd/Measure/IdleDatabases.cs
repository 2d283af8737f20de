using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>
/// Databases that were created, led once and left alone: a record in the catalogue, an epoch entry and a promise in the journals of all nodes. Put there while the nodes are down, after the
/// pattern of one that was really created: to create each through a node takes it some 25 ms of a processor.
/// </summary>
internal static class IdleDatabases
{
    private const int AtOnce = 64;

    /// <param name="cluster">Its nodes are down, and follow all databases.</param>
    /// <param name="pattern">The name of one that is there.</param>
    /// <param name="names">Of those to be added.</param>
    public static async Task AddAsync(ProcessCluster cluster, string pattern, IReadOnlyList<string> names)
    {
        var ids = names.Select(_ => new DatabaseId(Guid.CreateVersion7())).ToList();
        await using var control = await EtcdControlPlane.ConnectAsync(
            new EtcdOptions { Endpoints = [cluster.Etcd.Endpoint], MemoryPath = Path.Combine(cluster.Folder, "seed.sqlite"), CallPatience = TimeSpan.FromSeconds(60), AnswerPatience = TimeSpan.FromSeconds(20) },
            TimeProvider.System, new Random(1), NullLogger.Instance);
        var record = control.Find(pattern)!;
        foreach (var node in cluster.Nodes)
        {
            await FollowAsync(Path.Combine(node.Folder, "journal"), record, ids);
        }

        await Parallel.ForEachAsync(Enumerable.Range(0, ids.Count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, cancellationToken) =>
            await control.CreateAsync(record with { Id = ids[number], Name = names[number], Epoch = 1, Revision = 0, NameRevision = 0, PrimaryNode = cluster.Nodes[number % cluster.Nodes.Count].Id }, cancellationToken));
    }

    private static async Task FollowAsync(string folder, DatabaseRecord record, List<DatabaseId> ids)
    {
        await using var journal = NodeJournal.Open(folder, new JournalOptions(), new FileSystemDisk(), new Random(1));
        var sets = new FollowerSets(null, record.FollowerSet!).Encode();
        var note = journal.NoteOf(record.Id).ToArray();
        for (var i = 0; i < ids.Count; i++)
        {
            _ = journal.SetNoteAsync(ids[i], note, static _ => { });
            var entry = new LogBuilder(ids[i], record.PageSizeBytes).OpenEpoch(1, followerSets: sets);
            await (i + 1 < ids.Count ? journal.EnqueueAsync(entry, static (_, _) => { }) : journal.AppendAsync(entry)); // in order: with the last all are on disk
        }
    }
}
