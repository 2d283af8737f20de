using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The simulation's checkers speak of positions. From outside, a write's position is its place among the rows of the log table: the first is 1, and none is missing.</summary>
internal static class ChaosPlace
{
    public static Position Of(int place) => place == 0 ? Position.Start : new(1, (ulong)place, default);
}
