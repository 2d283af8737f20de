namespace ReplicatedSqlite.Cluster;

/// <summary>One leadership, as its followers know it. Every message of the quorum protocol carries one.</summary>
/// <param name="Epoch">The leadership's number. It alone is not enough: a control plane that was brought back from an older copy hands a number out twice.</param>
/// <param name="Activation">64 random bits made for the leadership. Two leaderships of one epoch are told apart by it, and refuse each other.</param>
public readonly record struct Promise(uint Epoch, ulong Activation)
{
    /// <summary>Nothing was promised yet.</summary>
    public static Promise None => default;

    /// <summary>Whether somebody who gave this promise must refuse another leadership: a lower epoch, or the same one of another activation.</summary>
    public bool Refuses(Promise other) => other.Epoch < Epoch || (other.Epoch == Epoch && other.Activation != Activation);

    /// <summary>For logs and errors.</summary>
    public override string ToString() => $"{Epoch:x8}/{Activation:x16}";
}
