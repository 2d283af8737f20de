using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite;

/// <summary>Calls that see each other's effects in order, on any copy, in any region. Thread-safe.</summary>
/// <remarks>
/// The first call sends how the session starts; each later one sends the greatest bookmark that any answer has brought, so that no copy behind it
/// answers. Calls made at the same time are not ordered among themselves.
/// </remarks>
public sealed class Session : SqlExecutor
{
    /// <summary>The first call goes to the primary: it sees every write answered before it began.</summary>
    public const string FirstPrimary = "first-primary";

    /// <summary>The first call is answered by the nearest copy, whatever it has.</summary>
    public const string FirstUnconstrained = "first-unconstrained";

    private readonly SessionState _state;

    internal Session(Transport transport, string databaseName, SessionState state, CallDefaults? defaults = null)
        : base(transport, databaseName, defaults) => _state = state;

    /// <summary>What the session has seen: to be handed to another process, which goes on from it. Null before the first answer.</summary>
    public Bookmark? Bookmark => _state.Bookmark;

    /// <summary>Takes up a bookmark from elsewhere: later calls see that state too.</summary>
    public void Advance(Bookmark bookmark) => _state.Observe(bookmark);

    internal override string SessionToSend() => _state.ToSend();

    private protected override void Observe(Bookmark bookmark) => _state.Observe(bookmark);
}
