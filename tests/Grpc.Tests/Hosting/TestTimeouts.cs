namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>How long a test waits for what must happen.</summary>
internal static class TestTimeouts
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
}
