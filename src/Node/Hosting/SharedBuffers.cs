namespace ReplicatedSqlite.Node;

/// <summary>How many buffers the runtime keeps for use again.</summary>
/// <remarks>
/// .NET's HTTP/2 rents 16 KiB for whatever arrives on a stream, and its shared pool keeps 32 buffers of a size for each processor. The streams of a thousand databases hold
/// more of them at a time, so that most were allocated anew and collected: three quarters of what such a node allocated. The number holds for buffers of every size, so it is no
/// larger than it must be: of large ones no more are kept than were in use at once, and they go when memory is short.
/// </remarks>
public static class SharedBuffers
{
    // The runtime has no other way to say it, and reads it when something rents for the first time.
    private const string Variable = "DOTNET_SYSTEM_BUFFERS_SHAREDARRAYPOOL_MAXARRAYSPERPARTITION";

    /// <summary>Has more of them kept, unless the operator has set the variable. To be called first in a program.</summary>
    public static void KeepMore()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "256");
        }
    }
}
