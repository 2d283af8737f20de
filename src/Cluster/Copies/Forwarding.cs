namespace ReplicatedSqlite.Cluster;

/// <summary>How a node marks a call that it passes on to the primary's node.</summary>
public static class Forwarding
{
    /// <summary>Metadata with the forwarding node's id. Who gets a call with it and is not the primary refuses it: one hop only.</summary>
    public const string Header = "x-rs-forwarded-by";
}
