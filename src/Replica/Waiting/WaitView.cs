using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>What readers here can see, at one moment. Immutable: each change makes a new one, so that the many who need not wait take no lock to learn it.</summary>
/// <param name="Epochs">Those that are confirmed.</param>
internal sealed record WaitView(EpochTable Epochs)
{
    /// <summary>The last position that readers see.</summary>
    public Position Visible { get; init; }

    /// <summary>Readers see anything at all.</summary>
    public bool IsReady { get; init; }

    /// <summary>The copy has gone.</summary>
    public bool IsClosed { get; init; }

    /// <summary>How a wait would end now; <see langword="null"/> if it would be parked.</summary>
    public WaitResult? Judge(Bookmark target)
    {
        if (IsClosed)
        {
            return WaitResult.Closed;
        }

        if (target != Bookmark.Start && Epochs.IsAbandoned(target, Visible.Epoch))
        {
            return WaitResult.Abandoned;
        }

        return IsReady && (target.Epoch, target.Sequence).CompareTo((Visible.Epoch, Visible.Sequence)) <= 0 ? WaitResult.Reached : null;
    }
}
