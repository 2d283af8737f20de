using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Lets a log forget what the main files on enough nodes hold: after each checkpoint here, and whenever a copy elsewhere has made one.</summary>
/// <remarks>
/// The stretch since the checkpoint before the last stays, so that a replica a little behind needs no snapshot. Safe for use by any thread.
/// </remarks>
/// <param name="common">Up to where enough nodes have a copy, when the primary's own holds everything up to a position.</param>
/// <param name="trim">Lets the log go up to a position.</param>
internal sealed class LogTrimmer(Func<Position, Position> common, Action<Position> trim)
{
    private readonly Lock _gate = new();
    private Position _newest; // where the last checkpoint of this leadership stood; under _gate, as the others
    private Position _before; // and the one before that
    private Position _trimmed;

    /// <summary>The primary's main file holds this, synced.</summary>
    public void Checkpointed(Position position)
    {
        lock (_gate)
        {
            if (position != _newest)
            {
                (_before, _newest) = (_newest, position);
            }
        }

        Look();
    }

    /// <summary>A copy elsewhere may hold more than before.</summary>
    public void Look()
    {
        Position to;
        lock (_gate)
        {
            to = _before == Position.Start ? Position.Start : common(_before);
            if (to <= _trimmed)
            {
                return;
            }

            _trimmed = to;
        }

        trim(to);
    }
}
