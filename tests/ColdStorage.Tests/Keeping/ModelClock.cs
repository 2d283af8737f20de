namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A clock that stands where a test puts it.</summary>
internal sealed class ModelClock : TimeProvider
{
    public DateTimeOffset Now { get; set; }

    public override DateTimeOffset GetUtcNow() => Now;
}
