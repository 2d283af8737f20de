using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Decides what each subscriber is sent: entries the moment they are appended, marks the moment they are confirmed.</summary>
/// <remarks>
/// A synchronous state machine, used by one thread at a time. Each subscriber has a window of bytes that it has not reported yet. Who falls out of it is behind: it
/// gets nothing pushed any more, and catches up by reading the log, so that it can neither slow anybody else nor fill memory. A mark for a subscriber
/// never names more than it was sent.
/// </remarks>
internal sealed class ShippingCore(Position appended, Position confirmed, long windowBytes)
{
    private readonly SortedDictionary<int, Subscriber> _subscribers = [];
    private Position _appended = appended;
    private Position _confirmed = confirmed;
    private int _nextId;

    /// <summary>How many listen.</summary>
    public int Count => _subscribers.Count;

    /// <summary>A replica wants everything after a position of this log.</summary>
    public int Add(Position from, ICollection<ShippingAction> actions)
    {
        var id = ++_nextId;
        var subscriber = new Subscriber { Sent = from, Marked = Position.Start };
        _subscribers.Add(id, subscriber);
        Continue(id, subscriber, actions);
        return id;
    }

    /// <summary>A subscriber is gone.</summary>
    public void Remove(int id) => _subscribers.Remove(id);

    /// <summary>An entry was added to the log.</summary>
    public void Append(Position position, int bytes, ICollection<ShippingAction> actions)
    {
        _appended = position;
        foreach (var (id, subscriber) in _subscribers)
        {
            if (!subscriber.IsLive)
            {
                continue;
            }

            if (subscriber.InFlightBytes + bytes > windowBytes && subscriber.InFlightBytes > 0)
            {
                subscriber.IsLive = false; // from here on it reads the log, when it has reported what it got
                continue;
            }

            subscriber.Sent = position;
            subscriber.SentBytes += bytes;
            actions.Add(new(ShippingActionKind.SendEntry, id, position));
        }
    }

    /// <summary>More is confirmed.</summary>
    public void Confirm(Position position, ICollection<ShippingAction> actions)
    {
        _confirmed = position;
        foreach (var (id, subscriber) in _subscribers)
        {
            Mark(id, subscriber, actions);
        }
    }

    /// <summary>The shell read the log for a subscriber and sent what it read.</summary>
    /// <param name="id">Who asked for it; a subscriber that is gone is ignored.</param>
    /// <param name="last">The end of what was read; where it began, if there was nothing.</param>
    /// <param name="bytes">Encoded bytes that were read.</param>
    /// <param name="actions">Receives what to do next.</param>
    public void LogRead(int id, Position last, long bytes, ICollection<ShippingAction> actions)
    {
        if (!_subscribers.TryGetValue(id, out var subscriber))
        {
            return;
        }

        subscriber.IsReading = false;
        subscriber.Sent = last;
        subscriber.SentBytes += bytes;
        subscriber.ReceivedBytes = Math.Min(subscriber.ReportedBytes, subscriber.SentBytes);
        Mark(id, subscriber, actions);
        Continue(id, subscriber, actions);
    }

    /// <summary>A subscriber says how many bytes of entries it has got in all.</summary>
    public void Report(int id, long receivedBytes, ICollection<ShippingAction> actions)
    {
        if (_subscribers.TryGetValue(id, out var subscriber) && receivedBytes > subscriber.ReportedBytes)
        {
            // A report may overtake the shell's word that it has sent what is reported.
            subscriber.ReportedBytes = receivedBytes;
            subscriber.ReceivedBytes = Math.Min(receivedBytes, subscriber.SentBytes);
            Continue(id, subscriber, actions);
        }
    }

    // Makes a subscriber live when it has everything, else reads on when there is room in its window.
    private void Continue(int id, Subscriber subscriber, ICollection<ShippingAction> actions)
    {
        if (subscriber.IsLive || subscriber.IsReading)
        {
            return;
        }

        if (subscriber.Sent == _appended)
        {
            subscriber.IsLive = true;
            Mark(id, subscriber, actions);
        }
        else if (subscriber.InFlightBytes <= windowBytes / 2)
        {
            subscriber.IsReading = true;
            actions.Add(new(ShippingActionKind.ReadLog, id, subscriber.Sent));
        }
    }

    private void Mark(int id, Subscriber subscriber, ICollection<ShippingAction> actions)
    {
        // Whoever was sent less than is confirmed gets a mark at the end of what it has: all of that is confirmed too.
        var mark = subscriber.Sent <= _confirmed ? subscriber.Sent : _confirmed;
        if (mark > subscriber.Marked)
        {
            subscriber.Marked = mark;
            actions.Add(new(ShippingActionKind.SendMark, id, mark));
        }
    }

    private sealed class Subscriber
    {
        public Position Sent { get; set; }

        public Position Marked { get; set; }

        public long SentBytes { get; set; }

        public long ReceivedBytes { get; set; }

        public long ReportedBytes { get; set; }

        public bool IsLive { get; set; }

        public bool IsReading { get; set; }

        public long InFlightBytes => SentBytes - ReceivedBytes;
    }
}
