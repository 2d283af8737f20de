using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

// The log: opening the epoch, confirming, shipping.
internal sealed partial class LeaderHost
{
    private const int WindowBytes = 12 << 10;
    private const int ReadBytes = 6 << 10;

    private readonly Dictionary<int, CopyStream> _subscribers = [];
    private readonly List<ShippingAction> _shippingActions = [];
    private PageImage _image = new(); // with everything that was appended
    private PageImage _confirmedImage = new();
    private int _confirmedCount; // entries of _log in it
    private ShippingCore? _shipping;
    private Position _newestPages; // of the main file when this leadership began

    public Position Confirmed => _confirmedImage.At;

    public PageImage ConfirmedImage => _confirmedImage;

    public IReadOnlyList<Entry> LogEntries => _log;

    public bool TrySubscribe(CopyStream stream, Position from)
    {
        // Before the epoch is confirmed there is no image to hand out: the file may be a mixture.
        if (IsClosed || _shipping is null || !(Leads || Holds(from)))
        {
            return false;
        }

        PageImage? image = null;
        if (!Holds(from))
        {
            image = _confirmedImage.Copy();
            from = image.At;
        }

        stream.Send(new CopyMessage.Welcome(Promise.Epoch, (Leads ? _confirmedImage : _image).Epochs, image));
        var actions = new List<ShippingAction>();
        stream.Subscriber = _shipping.Add(from, actions);
        _subscribers.Add(stream.Subscriber, stream);
        Ship(actions, null);
        return true;
    }

    public void Unsubscribe(CopyStream stream)
    {
        _shipping?.Remove(stream.Subscriber);
        _subscribers.Remove(stream.Subscriber);
    }

    public void Report(CopyStream stream, long bytes)
    {
        if (!IsClosed && _subscribers.ContainsKey(stream.Subscriber))
        {
            _shipping!.Report(stream.Subscriber, bytes, _shippingActions);
            Ship();
        }
    }

    /// <summary>Says that the confirmed log is in a durable base, so that followers may forget it.</summary>
    public void Trim()
    {
        if (Leads && _confirmedImage.At != Position.Start)
        {
            _cluster.Bases[_confirmedImage.At] = _confirmedImage.Copy();
            Do(now => Core.Trim(_confirmedImage.At, now, _actions));
        }
    }

    /// <summary>Brings the confirmed part into the main file.</summary>
    public void Checkpoint(bool isComplete)
    {
        if (Leads)
        {
            _node.File.Checkpoint(World, _confirmedImage, isComplete);
        }
    }

    /// <summary>The observer sees what a reader would be shown, were everything confirmed.</summary>
    public void Record()
    {
        if (Leads)
        {
            _cluster.History.Images.Add(new($"primary {_node.Index}", _confirmedImage.At, [.. _confirmedImage.Pages]));
        }
    }

    // The adopted log is here: the local file is main file, sidecar and log, replayed; then the epoch is opened.
    private void Open(Position adopted, FollowerSets sets)
    {
        try
        {
            Replay(adopted);
        }
        catch (PageMismatchException mismatch)
        {
            Diverge(mismatch);
            return;
        }

        var header = new EntryHeader
        {
            Flags = EntryFlags.EpochEntry, Database = _cluster.Database, Epoch = Promise.Epoch,
            FirstSequence = adopted.Sequence + 1, LastSequence = adopted.Sequence + 1, Predecessor = adopted,
            PageSizeBytes = PageImage.PageSize, DatabaseSizePages = (uint)_image.PageCount, CommitTimeMicroseconds = World.Now + 1,
        };
        if (_cluster.Plan.ShipsEarly)
        {
            _shipping = new ShippingCore(adopted, Position.Start, WindowBytes);
        }

        Append(EpochEntry.Create(header, _image.Epochs, sets.Encode()), [], []);
    }

    // A patch is for another page than this copy has: it stops, and is built again.
    private void Diverge(PageMismatchException mismatch)
    {
        _cluster.History.Contradictions.Add(new($"primary {_node.Index}", mismatch.Message, World.Now));
        _node.File.Install(_cluster.Bases[_node.Follower!.Log.First]);
        Close("the copy contradicts the log");
    }

    // A grain that was let go comes back: everything that it left was confirmed.
    private bool TryResume(Position left)
    {
        // Another leadership may have gone on meanwhile, in the log or in the file.
        if (_node.Follower!.Log.Last != left || _node.File.To > left)
        {
            return false;
        }

        Replay(left);
        _confirmedImage = _image.Copy();
        (_confirmedCount, _recorded) = (_log.Count, _log.Count);
        _shipping = new ShippingCore(left, left, WindowBytes);
        OpenClients(left);
        return true;
    }

    private void Replay(Position upTo)
    {
        _node.EndReplica();
        var own = _node.Follower!.Log;
        _log.AddRange(own.Read(own.First, long.MaxValue, upTo));
        var file = _node.File;
        if (file.From < own.First || !(own.Holds(file.From) || file.From == Position.Start))
        {
            file.Install(_cluster.Bases[own.First]);
        }

        _image = file.Image.Copy();
        foreach (var entry in _log)
        {
            if (entry.Predecessor >= _image.At)
            {
                _image.Apply(entry, isReplay: entry.End <= file.To);
            }
        }

        _confirmedImage = file.Image.Copy();
        _confirmedCount = _log.FindIndex(entry => entry.End == file.From) + 1;
        _newestPages = file.To;
    }

    private void Append(Entry entry, List<int> writes, List<int> rows)
    {
        _cluster.Contents[entry.End] = (writes, rows);
        _log.Add(entry);
        _image.MoveTo(entry);
        Do(now => Core.Append(entry, now, _actions));
        if (_shipping is not null)
        {
            _shipping.Append(entry.End, entry.Encoded.Length, _shippingActions);
            Ship(_shippingActions, entry);
        }
    }

    private void Confirm(Position position)
    {
        World.Note(position.Hash.High);
        World.Log?.Invoke($"{World.Now} node {_node.Index}: {Promise} confirms {position.Epoch}/{position.Sequence}");
        _cluster.History.Marks.Add(new(Promise, position, Core.Sets!.Sets, World.Now));
        for (; _recorded < _log.Count && _log[_recorded].End <= position; _recorded++)
        {
            var entry = _log[_recorded];
            var (writes, rows) = _cluster.Contents.GetValueOrDefault(entry.End, ([], [])); // under some planted faults nobody wrote it
            _cluster.History.Confirmed.Add(new(entry.End, entry.Predecessor, entry.Header.FirstSequence, writes, rows, Promise, World.Now));
        }

        for (; _confirmedCount < _log.Count && _log[_confirmedCount].End <= position; _confirmedCount++)
        {
            _confirmedImage.Apply(_log[_confirmedCount], isReplay: _log[_confirmedCount].End <= _newestPages);
        }

        if (_gate is null)
        {
            _shipping ??= new ShippingCore(_log[^1].End, position, WindowBytes);
            _shipping.Confirm(position, _shippingActions);
            Ship();
            _cluster.Control.NameFollowers(Core.Sets!.Sets.Current, Promise.Epoch);
            OpenClients(position);
        }
        else
        {
            _shipping!.Confirm(position, _shippingActions);
            Ship();
            PassGate(position);
        }
    }

    private void Ship() => Ship(_shippingActions, null);

    private void Ship(List<ShippingAction> actions, Entry? appended)
    {
        foreach (var action in actions)
        {
            if (!_subscribers.TryGetValue(action.Subscriber, out var stream))
            {
                continue;
            }

            switch (action.Kind)
            {
                case ShippingActionKind.SendEntry:
                    stream.Send(new CopyMessage.NewEntry(appended!));
                    break;
                case ShippingActionKind.SendMark:
                    stream.Send(new CopyMessage.Mark(action.Position));
                    break;
                default:
                    _process.After(World.Between(10, 500), () => ReadFor(action.Subscriber, action.Position));
                    break;
            }
        }

        actions.Clear();
    }

    private void ReadFor(int subscriber, Position after)
    {
        if (IsClosed || !_subscribers.TryGetValue(subscriber, out var stream))
        {
            return;
        }

        long bytes = 0;
        var last = after;
        for (var i = IndexAfter(after); i < _log.Count && bytes < ReadBytes; i++)
        {
            stream.Send(new CopyMessage.NewEntry(_log[i]));
            bytes += _log[i].Encoded.Length;
            last = _log[i].End;
        }

        _shipping!.LogRead(subscriber, last, bytes, _shippingActions);
        Ship();
    }

    private bool Holds(Position position) => position == (_log.Count == 0 ? Position.Start : _log[0].Predecessor)
        || (IndexAfter(position) is > 0 and var index && _log[index - 1].End == position);

    private int IndexAfter(Position position)
    {
        var index = _log.Count;
        while (index > 0 && _log[index - 1].End > position)
        {
            index--;
        }

        return index;
    }
}
