using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a control plane refuses, in the contract's words.</summary>
internal static class CatalogueErrors
{
    public static RequestException Taken(string name, DatabaseId by) => new(
        ErrorCodes.DatabaseExists, $"A database named '{name}' exists already (id {by}). Choose another name, or delete it first.");

    public static RequestException Gone(DatabaseId id) => new(ErrorCodes.DatabaseNotFound, $"The database {id} does not exist any more.");

    public static RequestException EpochTaken(DatabaseRecord newest, uint expected) => new(
        ErrorCodes.NoPrimary, $"Epoch {expected + 1} of '{newest.Name}' was taken by another node; the newest is {newest.Epoch}. Try again.");

    public static InvalidOperationException IdUsed(DatabaseRecord database) =>
        new($"The id {database.Id} was used before, so '{database.Name}' needs another one: an id names one database for ever.");

    public static InvalidOperationException NodeAlive(string id) =>
        new($"A node with the id {id} is alive already. Two processes may be using one data folder.");
}
