using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Who answered a call, and what it waited for.</summary>
/// <param name="Node">The node's id.</param>
/// <param name="Region">Its region.</param>
/// <param name="Primary">Whether it answered as the primary.</param>
/// <param name="Wait">Waited for the session's bookmark.</param>
/// <param name="Queue">Waited for the writer or a reader.</param>
/// <param name="Lag">Age of the copy's last proof from the primary; zero on the primary.</param>
/// <param name="TotalAttempts">How often the cluster tried.</param>
public sealed record ServedBy(string Node, string Region, bool Primary, TimeSpan Wait, TimeSpan Queue, TimeSpan Lag, int TotalAttempts)
{
    internal static ServedBy From(Served? served) => served is null
        ? new ServedBy("", "", false, default, default, default, 0)
        : new ServedBy(
            served.By,
            served.Region,
            served.Primary,
            TimeSpan.FromMilliseconds(served.WaitMs),
            TimeSpan.FromMilliseconds(served.QueueMs),
            TimeSpan.FromMilliseconds(served.LagMs),
            checked((int)served.TotalAttempts));
}
