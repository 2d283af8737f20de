namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Decides who may call what, before anything of a call's body is read.</summary>
public interface ICallGuard
{
    /// <summary>What is asked before each call of one rpc. It lets the call in by returning, and refuses it by throwing as a handler does; it may leave <see cref="ServerCallContext.Identity"/> behind.</summary>
    /// <param name="service">The full name of the service.</param>
    /// <param name="method">The rpc's name within it.</param>
    /// <returns><see langword="null"/>: everybody may call it.</returns>
    Func<ServerCallContext, ValueTask>? CheckOf(string service, string method);
}
