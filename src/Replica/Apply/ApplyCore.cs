using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>Decides what becomes of each entry and mark that a replica receives.</summary>
/// <remarks>
/// A synchronous state machine, used by one thread at a time. Entries are taken at once and stay hidden; a mark names one exact entry and shows everything up to it.
/// Entries and marks of an epoch raise the copy's epoch, and anything lower is ignored from then on: so a primary that lost its
/// leadership can neither show nor discard anything here.
/// </remarks>
internal sealed class ApplyCore
{
    private readonly List<Position> _hidden = []; // in order, after Visible
    private readonly Position _mustPass;
    private bool _marked; // a primary that finished its recovery has spoken

    /// <param name="from">Everything up to here is in the file, and confirmed.</param>
    /// <param name="to">Pages may be as new as this: until readers would see this much, the file is a mixture and shows nothing.</param>
    public ApplyCore(Position from, Position to)
    {
        Visible = from;
        Epoch = from.Epoch;
        _mustPass = to;
    }

    /// <summary>The newest epoch that was heard of.</summary>
    public uint Epoch { get; private set; }

    /// <summary>The last entry that is shown, or would be if <see cref="IsReady"/>.</summary>
    public Position Visible { get; private set; }

    /// <summary>The last entry that was taken.</summary>
    public Position Received => _hidden.Count > 0 ? _hidden[^1] : Visible;

    /// <summary>Entries that are taken and not shown.</summary>
    public int Hidden => _hidden.Count;

    /// <summary>Readers may be answered.</summary>
    public bool IsReady => _marked && Visible >= _mustPass;

    /// <summary>An entry has arrived.</summary>
    /// <param name="leader">The epoch of the primary that sends it; the entry itself may be older history.</param>
    /// <param name="position">Its end.</param>
    /// <param name="predecessor">The end of the entry that it follows.</param>
    /// <param name="actions">Receives what to do.</param>
    public void Entry(uint leader, Position position, Position predecessor, ICollection<ApplyAction> actions)
    {
        if (!Hear(leader) || position == Visible || IndexOf(position) >= 0)
        {
            return; // of a leadership that is over, or held already: a repetition changes nothing
        }

        if (predecessor == Received)
        {
            Take(position, actions);
        }
        else if (predecessor == Visible || IndexOf(predecessor) >= 0)
        {
            // The leader's log leaves ours before its end. What we hold beyond was never confirmed, so nobody saw it.
            DiscardAfter(predecessor, actions);
            Take(position, actions);
        }
        else if (position.CompareTo(Visible) == 0 || (position > Visible && predecessor < Visible))
        {
            actions.Add(new(ApplyActionKind.Diverged, Visible)); // its log leaves ours below what was confirmed here
        }
        else if (position > Visible)
        {
            actions.Add(new(ApplyActionKind.Resubscribe, Received)); // a gap
        }
    }

    /// <summary>A mark has arrived: the primary says that everything up to this entry is confirmed.</summary>
    /// <param name="leader">The epoch of the primary that sends it.</param>
    /// <param name="position">The entry.</param>
    /// <param name="actions">Receives what to do.</param>
    public void Mark(uint leader, Position position, ICollection<ApplyAction> actions)
    {
        if (!Hear(leader))
        {
            return;
        }

        var index = IndexOf(position);
        if (index >= 0)
        {
            _marked = true;
            _hidden.RemoveRange(0, index + 1);
            Visible = position;
            actions.Add(new(ApplyActionKind.Publish, position));
        }
        else if (position == Visible || position < Visible)
        {
            if (!_marked)
            {
                _marked = true;
                actions.Add(new(ApplyActionKind.Publish, Visible)); // nothing new to see, but now it may be seen
            }
        }
        else
        {
            actions.Add(new(position.CompareTo(Visible) == 0 ? ApplyActionKind.Diverged : ApplyActionKind.Resubscribe, Visible));
        }
    }

    /// <summary>A primary speaks.</summary>
    /// <returns><see langword="false"/> if its leadership is over: nothing it says counts.</returns>
    public bool Hear(uint leader)
    {
        if (leader < Epoch)
        {
            return false;
        }

        Epoch = leader;
        return true;
    }

    /// <summary>Drops what is hidden: a new stream begins behind what is visible, and brings it again.</summary>
    public void Forget(ICollection<ApplyAction> actions)
    {
        if (_hidden.Count > 0)
        {
            DiscardAfter(Visible, actions);
        }
    }

    private void Take(Position position, ICollection<ApplyAction> actions)
    {
        _hidden.Add(position);
        actions.Add(new(ApplyActionKind.Append, position));
    }

    private void DiscardAfter(Position position, ICollection<ApplyAction> actions)
    {
        var index = position == Visible ? -1 : IndexOf(position);
        _hidden.RemoveRange(index + 1, _hidden.Count - index - 1);
        actions.Add(new(ApplyActionKind.DiscardAfter, position));
    }

    // Hidden positions are in order, so a place is found by halves; it is ours only if the hash is the same.
    private int IndexOf(Position position)
    {
        var index = _hidden.BinarySearch(position);
        return index >= 0 && _hidden[index] == position ? index : -1;
    }
}
