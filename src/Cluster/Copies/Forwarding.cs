using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>How a node marks a call that it passes on to the primary's node.</summary>
public static class Forwarding
{
    /// <summary>Metadata with the forwarding node's id. Who gets a call with it and is not the primary refuses it: one hop only.</summary>
    public const string Header = "x-rs-forwarded-by";

    /// <summary>
    /// Metadata of a call that its client made by name: the <see cref="DatabaseRecord.Revision"/> at which the forwarding node saw the name stand for the id that the
    /// call now carries. Who knows that the database has got another name since answers <see cref="Moved"/>.
    /// </summary>
    public const string RevisionHeader = "x-rs-name-revision";

    /// <summary>Metadata with the id that the forwarding node gave the request: by it operators find it at each node that it passes through.</summary>
    public const string QueryHeader = "x-rs-query";

    /// <summary>Metadata with the <see cref="Caller"/> whom the forwarding node found. Believed from nodes only.</summary>
    public const string CallerHeader = "x-rs-caller";

    /// <summary>Metadata of a read that is passed on to a replica near by, not to the primary. It answers from its copy or says <see cref="NotHere"/>; it writes nothing and passes nothing on.</summary>
    public const string CopyHeader = "x-rs-copy";

    /// <summary>What else than <see cref="Header"/> such a call may carry. All of it changes what the call means, and is for nodes among themselves.</summary>
    public static IReadOnlyList<string> FurtherHeaders { get; } = [RevisionHeader, QueryHeader, CallerHeader, CopyHeader];

    private const string NotHereTrailer = "x-rs-not-here";
    private const string MovedTrailer = "x-rs-moved";

    /// <summary>The name stood for this database, but no more. Between nodes only: who gets it looks the name up again; no client ever sees it.</summary>
    public static RpcException Moved(DatabaseId database) => new(
        StatusCode.Aborted, $"The database {database} does not have the name by which it was asked for, or another node leads it now. Nothing was done; try again.", new Metadata { { MovedTrailer, "1" } });

    /// <summary>Whether a failure is <see cref="Moved"/>.</summary>
    public static bool IsMoved(RpcException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.StatusCode == StatusCode.Aborted && failure.Trailers.Any(entry => entry.Name == MovedTrailer);
    }

    /// <summary>This node's replica is not the one to answer a call that came by <see cref="CopyHeader"/>: the primary is. Between nodes only.</summary>
    public static RpcException NotHere(DatabaseId database) => new(
        StatusCode.Aborted, $"The replica of {database} on this node does not answer this call. Nothing was done; ask the primary.", new Metadata { { NotHereTrailer, "1" } });

    /// <summary>Whether a failure is <see cref="NotHere"/>.</summary>
    public static bool IsNotHere(RpcException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.StatusCode == StatusCode.Aborted && failure.Trailers.Any(entry => entry.Name == NotHereTrailer);
    }
}
