namespace ReplicatedSqlite.Primary;

/// <summary>The memory that the image caches of one node share. Any thread.</summary>
/// <remarks>
/// Never more than the bound is handed out. Each cache that holds images may have an equal share; one that has more, because others came, gives back at its
/// next write. A cache that gets nothing does without: its pages travel whole.
/// </remarks>
public sealed class ImageBudget(long maxBytes)
{
    private long _takenBytes; // by Interlocked
    private int _holders; // caches that hold images, by Interlocked

    /// <summary>Handed out.</summary>
    public long TakenBytes => Volatile.Read(ref _takenBytes);

    /// <summary>What one cache may hold.</summary>
    public long ShareBytes => maxBytes / Math.Max(1, Volatile.Read(ref _holders));

    /// <summary>Takes memory for an image, if there is any.</summary>
    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _takenBytes, bytes) <= maxBytes)
        {
            return true;
        }

        Return(bytes);
        return false;
    }

    /// <summary>Gives memory back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _takenBytes, -bytes);

    /// <summary>A cache begins to hold images.</summary>
    public void Enter() => Interlocked.Increment(ref _holders);

    /// <summary>A cache is empty again.</summary>
    public void Leave() => Interlocked.Decrement(ref _holders);
}
