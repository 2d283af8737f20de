namespace ReplicatedSqlite.Node;

/// <summary>How many buffers the runtime keeps for use again.</summary>
/// <remarks>
/// .NET's HTTP/2 rents 16 KiB for whatever arrives on a stream, and its shared pool keeps 32 buffers of a size for each processor. The streams of a thousand databases hold
/// more of them at a time, so that most were allocated anew and collected: three quarters of what such a node allocated. What is kept and not used goes again with full collections.
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
            Environment.SetEnvironmentVariable(Variable, "1024");
        }
    }
}
