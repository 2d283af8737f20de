using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The output gate: nothing that was computed from an unconfirmed state passes before that state is confirmed.</summary>
/// <remarks>
/// A synchronous state machine, used by one thread at a time. What is held is named by a token; the shell completes it. Holds come in any order,
/// since a reader may note its position and be overtaken by a writer before it gets here.
/// </remarks>
/// <typeparam name="TToken">Names what is held.</typeparam>
internal sealed class GateCore<TToken>(Position confirmed)
{
    private readonly PriorityQueue<TToken, Position> _held = new();

    /// <summary>What was computed from a state up to here may leave.</summary>
    public Position Confirmed { get; private set; } = confirmed;

    /// <summary>The leadership is gone: whatever is held, and whatever comes, fails.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>How many are held.</summary>
    public int Held => _held.Count;

    /// <summary>Asks to let pass what was computed at a position.</summary>
    public GateAnswer Hold(Position computedAt, TToken token)
    {
        if (computedAt <= Confirmed)
        {
            return GateAnswer.Pass; // confirmed is confirmed, whoever leads now
        }

        if (IsClosed)
        {
            return GateAnswer.Lost;
        }

        _held.Enqueue(token, computedAt);
        return GateAnswer.Held;
    }

    /// <summary>More is confirmed.</summary>
    /// <param name="position">Up to here.</param>
    /// <param name="passing">Receives the tokens that may pass now, earliest first.</param>
    public void Confirm(Position position, ICollection<TToken> passing)
    {
        if (IsClosed || position <= Confirmed)
        {
            return;
        }

        Confirmed = position;
        while (_held.TryPeek(out var token, out var computedAt) && computedAt <= position)
        {
            _held.Dequeue();
            passing.Add(token);
        }
    }

    /// <summary>Whoever is held waits no longer: followers are missed. What comes later is held again.</summary>
    /// <param name="failing">Receives everything that is held.</param>
    public void LetGo(ICollection<TToken> failing)
    {
        while (_held.TryDequeue(out var token, out _))
        {
            failing.Add(token);
        }
    }

    /// <summary>The leadership is lost.</summary>
    /// <param name="failing">Receives everything that is held.</param>
    public void Close(ICollection<TToken> failing)
    {
        IsClosed = true;
        while (_held.TryDequeue(out var token, out _))
        {
            failing.Add(token);
        }
    }
}
