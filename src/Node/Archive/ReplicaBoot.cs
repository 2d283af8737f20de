using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Builds replicas that have nothing from cold storage, so that the primary need not send what lies there. What was broken off is gone on with.</summary>
internal sealed class ReplicaBoot(NodeContext node, ColdStore cold, ColdStorageOptions options)
{
    public async Task<(Position Position, LogState State)?> RunAsync(DatabaseId database, string path, CancellationToken cancellationToken)
    {
        if (node.Control.Find(database) is not { } record || node.Time.GetUtcNow() - record.CreatedAt < options.BootAge) // there is not much of it yet
        {
            return null;
        }

        try
        {
            var newest = await cold.Restorer.LocateAsync(database, null, cancellationToken);
            if ((long)newest.SizePages * newest.PageSizeBytes < options.BootBytes)
            {
                return null;
            }

            var state = await cold.Restorer.RestoreAsync(database, path, null, cancellationToken);
            return (state.Position, new LogState(state.Epochs, state.CommitTimeMicroseconds));
        }
        catch (BookmarkNotStoredException)
        {
            return null; // nothing is stored yet
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            NodeLog.NotBooted(node.Logger, database, e.Message); // the primary has it
            return null;
        }
    }
}
