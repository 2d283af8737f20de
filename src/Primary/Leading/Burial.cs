using System.Security.Cryptography;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The last leadership of a database: it puts so many followers under a tombstone that nothing can ever be confirmed again.</summary>
public static class Burial
{
    /// <summary>Runs it. It may be repeated.</summary>
    /// <exception cref="RequestException">Too few followers answer; some may be under the tombstone already.</exception>
    public static async Task RunAsync(PrimaryContext context, DatabaseId database, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var record = context.Control.Find(database) ??
            throw new RequestException(ErrorCodes.DatabaseNotFound, $"The database {database} does not exist any more.");
        var (ownSets, promised) = context.OwnFollower.StateOf(database);
        var above = Math.Max(promised.Epoch, context.OwnFollower.LogOf(database).Last.Epoch);
        var epoch = await context.Control.TakeEpochAsync(database, context.Self.Id, record.Epoch, above, cancellationToken);
        var promise = new Promise(epoch, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
        var hint = record.FollowerSet ?? new FollowerSet([context.OwnFollower.Journal], 1);
        await using var leadership = new Leadership(
            new LeaderStart(database, promise, context.OwnFollower.Journal, hint, ownSets.LastOrDefault()) { Deletes = true }, context, static (_, _, _) => Task.FromResult<DurableBase?>(null));
        leadership.Begin();
        try
        {
            await Task.WhenAny(leadership.Deleted, leadership.Lost).WaitAsync(context.Options.QuorumPatience, context.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new RequestException(
                ErrorCodes.QuorumUnavailable, $"'{record.Name}' is not deleted yet: {leadership.DescribeMissing()} Delete it again when its followers are back.");
        }

        if (!leadership.Deleted.IsCompleted)
        {
            throw new RequestException(ErrorCodes.NoPrimary, $"'{record.Name}' is not deleted yet: {(await leadership.Lost).Text}. Try again.");
        }
    }
}
