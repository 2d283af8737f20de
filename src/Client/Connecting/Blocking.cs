namespace ReplicatedSqlite;

/// <summary>Waits for asynchronous work where ADO.NET asks for a synchronous answer.</summary>
/// <remarks>
/// HTTP/2 has no synchronous form in .NET. This cannot deadlock under a synchronization context, as nothing in this library or below it comes back to one; on threads of the
/// pool it holds a thread, so that many callers at once are better served by the asynchronous methods.
/// </remarks>
internal static class Blocking
{
    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    public static void Wait(Task task) => task.GetAwaiter().GetResult();

    public static T Wait<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();

    public static void Wait(ValueTask task)
    {
        if (task.IsCompleted) task.GetAwaiter().GetResult();
        else task.AsTask().GetAwaiter().GetResult();
    }
}
