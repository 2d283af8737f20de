using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>One subscription: messages arrive in order, each when chance says so, or never once it is cut.</summary>
internal sealed class SimulatedStream(SimulatedLeader leader)
{
    private readonly LinkedList<SimulatedMessage> _toReplica = new();

    public SimulatedLeader Leader => leader;

    public int Id { get; set; }

    /// <summary>The end of what the primary sent.</summary>
    public Position SentUpTo { get; set; }

    public long SentBytes { get; private set; }

    public long ReportedBytes { get; set; }

    /// <summary>What the replica has got of it.</summary>
    public long ReceivedBytes { get; set; }

    public Position? ReadFrom { get; set; }

    public (Position Last, long Bytes)? Shipped { get; set; }

    /// <summary>The replica turned away from it; what is on its way still comes.</summary>
    public bool IsCut { get; set; }

    public bool IsWelcome { get; set; }

    public int Waiting => _toReplica.Count;

    public bool HasAll(Position position) => position <= SentUpTo;

    public void Send(SimulatedMessage message)
    {
        if (message.Entry is { } entry)
        {
            SentUpTo = entry.End;
            SentBytes += entry.Bytes;
        }

        _toReplica.AddLast(message);
    }

    /// <param name="markFirst">The next mark overtakes what was sent before it.</param>
    public SimulatedMessage? Next(bool markFirst)
    {
        var message = markFirst && IsWelcome ? _toReplica.FirstOrDefault(message => message.Mark is not null) : null;
        message ??= _toReplica.First?.Value;
        if (message is not null)
        {
            _toReplica.Remove(message);
        }

        return message;
    }
}
