namespace ReplicatedSqlite.EndToEnd;

/// <summary>Waits for conditions, with a deadline.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);

    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? pause = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"Not within {Patience.TotalSeconds} s: {what}");
            await Task.Delay(pause ?? _pause);
        }
    }

    /// <summary>Fails instead of hanging.</summary>
    public static async Task<T> InTimeAsync<T>(this Task<T> task, TimeSpan? patience = null) => await task.WaitAsync(patience ?? Patience);

    /// <summary>Fails instead of hanging.</summary>
    public static async Task InTimeAsync(this Task task, TimeSpan? patience = null) => await task.WaitAsync(patience ?? Patience);
}
