using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Replica;

namespace ReplicatedSqlite.Simulation;

/// <summary>The shell of a replica in one life of a process: drives ApplyCore and WaitCore on pages in memory.</summary>
internal sealed class ReplicaHost
{
    private const long Patience = 400_000; // without a stream, until it looks for a primary again

    private readonly Cluster _cluster;
    private readonly SimulatedNode _node;
    private readonly SimulatedProcess _process;
    private readonly Plant _plant;
    private readonly List<ApplyAction> _actions = [];
    private readonly List<WaitAction<WaitingRead>> _ended = [];
    private ApplyCore _core;
    private readonly WaitCore<WaitingRead> _waits;
    private HiddenEntries _pages;
    private CopyStream? _stream;
    private long _receivedBytes;
    private bool _deadlineSet;
    private bool _seekSet;
    private readonly bool _keepsHidden; // over a new stream; both ways are right

    public ReplicaHost(Cluster cluster, SimulatedNode node)
    {
        (_cluster, _node, _process, _plant) = (cluster, node, node.Process, cluster.Plant);
        _core = new(node.File.From, node.File.To);
        _keepsHidden = cluster.World.Chance(0.5);
        _waits = new(node.File.Image.Epochs);
        _pages = new(node.File.Image.Copy(), node.File.To, _plant);
        SetSeek(cluster.World.Between(1_000, 100_000));
    }

    public bool IsClosed { get; private set; }

    public bool IsReady => _core.IsReady || (_plant.ShowsMixtures && _core.Epoch > 0);

    public Position Visible => _core.Visible;

    public Position Received => _core.Received;

    /// <summary>The copy's role ends: no reader is left.</summary>
    public void Close()
    {
        IsClosed = true;
        _stream?.CloseByReplica();
        _stream = null;
        _waits.Close(_ended);
        EndReads();
    }

    /// <summary>A read, at once or when the copy has reached its bookmark.</summary>
    public void Read(WaitingRead read)
    {
        if (IsClosed)
        {
            read.Refuse();
            return;
        }

        if (read.Bookmark == Bookmark.Start)
        {
            if (IsReady)
            {
                Answer(read);
            }
            else
            {
                read.Refuse();
            }

            return;
        }

        var result = _plant.CallsAbandoned(_pages.Newest.Epochs, read.Bookmark) ? WaitResult.Abandoned : _waits.Wait(read.Bookmark, _node.Clock.Now + WaitingRead.Limit, read);
        if (result is { } ended)
        {
            End(read, ended);
        }
        else
        {
            WatchDeadline();
        }
    }

    public void Checkpoint(bool isComplete) => _node.File.Checkpoint(_cluster.World, _pages.Visible, isComplete);

    /// <summary>Shows the all-knowing observer what readers see.</summary>
    public void Record()
    {
        if (IsReady && !IsClosed)
        {
            _cluster.History.Images.Add(new($"replica {_node.Index}", _pages.Visible.At, [.. _pages.Visible.Pages]));
        }
    }

    public void Take(CopyStream stream, object message)
    {
        if (IsClosed || (stream != _stream && !stream.IsLate))
        {
            return;
        }

        _cluster.World.Log?.Invoke($"{_cluster.World.Now} replica {_node.Index} at {_core.Visible.Epoch}/{_core.Visible.Sequence}: epoch {stream.Epoch} {message}");
        switch ((CopyMessage)message)
        {
            case CopyMessage.Welcome or CopyMessage.Goodbye when stream != _stream:
                break;
            case CopyMessage.Welcome welcome:
                Welcome(stream, welcome);
                break;
            case CopyMessage.NewEntry { Entry: var entry }:
                _receivedBytes += stream == _stream ? entry.Encoded.Length : 0;
                _core.Entry(stream.Epoch, entry.End, entry.Predecessor, _actions);
                CarryOut(entry);
                Grow(stream, entry.EpochTable);
                stream.Report(_receivedBytes);
                break;
            case CopyMessage.Mark mark:
                _core.Mark(stream.Epoch, _plant.MarkFor(_core, _pages, stream.Epoch, mark.Position), _actions);
                CarryOut(null);
                break;
            default:
                Drop(stream);
                break;
        }
    }

    public void Drop(CopyStream stream)
    {
        if (stream == _stream)
        {
            _stream = null;
            stream.CloseByReplica();
            SetSeek(_cluster.World.Between(5_000, 50_000));
        }
    }

    private void SetSeek(long delay)
    {
        if (!_seekSet)
        {
            _seekSet = true;
            _process.After(delay, Seek);
        }
    }

    private void Seek()
    {
        _seekSet = false;
        _cluster.World.Log?.Invoke($"{_cluster.World.Now} replica {_node.Index} seeks{(IsClosed ? ", closed" : "")}{(_stream is null ? "" : $", has a stream of {_stream.Epoch}")}");
        if (IsClosed)
        {
            return;
        }

        if (_stream is not null)
        {
            // The catalogue tells of another primary, in time.
            _cluster.Control.Read(_node.Index, _process, record =>
            {
                if (!IsClosed && _stream is { Epoch: > 0 } stream && record.Epoch > stream.Epoch && record.Leader != stream.Primary.Index && record.Leader >= 0)
                {
                    _stream = null;
                    stream.Leave();
                    SetSeek(1);
                }
            });
            SetSeek(Patience);
            return;
        }

        _cluster.Control.Read(_node.Index, _process, record =>
        {
            if (!IsClosed && _stream is null && record.Leader >= 0)
            {
                _stream = new CopyStream(_cluster, this, _node, _cluster.Nodes[record.Leader]);
                _stream.Subscribe(_core.Visible);
                _receivedBytes = 0;
            }
        });
        SetSeek((long)(Patience * (0.5 + _cluster.World.Random.NextDouble())));
    }

    private void Welcome(CopyStream stream, CopyMessage.Welcome welcome)
    {
        stream.Epoch = welcome.Epoch;
        if (!_core.Hear(welcome.Epoch))
        {
            Drop(stream);
            return;
        }

        if (welcome.Image is { } image)
        {
            _waits.Suspend();
            _node.File.Install(image);
            _core = new ApplyCore(image.At, image.At);
            _core.Hear(welcome.Epoch);
            _pages = new(image.Copy(), image.At, _plant);
        }
        else if (!_keepsHidden)
        {
            _core.Forget(_actions);
            CarryOut(null);
        }

        Grow(stream, welcome.Epochs);
    }

    private void Grow(CopyStream stream, EpochTable? epochs)
    {
        if (epochs is not null && stream.Epoch >= _core.Epoch)
        {
            _waits.Grow(epochs, _ended);
            EndReads();
        }
    }

    private void CarryOut(Entry? entry)
    {
        foreach (var action in _actions.ToArray())
        {
            if (IsClosed)
            {
                break;
            }

            switch (action.Kind)
            {
                case ApplyActionKind.Append:
                    try
                    {
                        _pages.Append(entry!);
                    }
                    catch (PageMismatchException mismatch)
                    {
                        Diverge(mismatch.Message);
                    }

                    break;
                case ApplyActionKind.DiscardAfter:
                    _pages.DiscardAfter(action.Position);
                    break;
                case ApplyActionKind.Publish:
                    _pages.Publish(action.Position);
                    if (IsReady)
                    {
                        _waits.Advance(action.Position, _ended);
                        if (_cluster.World.Chance(0.05))
                        {
                            Record();
                        }
                    }

                    break;
                case ApplyActionKind.Resubscribe:
                    if (_stream is not null)
                    {
                        Drop(_stream);
                    }

                    break;
                default:
                    Diverge($"the log leaves this copy below {action.Position}");
                    break;
            }
        }

        _actions.Clear();
        EndReads();
    }

    // Stop, report, and build this copy again.
    private void Diverge(string what)
    {
        if (!IsClosed)
        {
            _cluster.History.Contradictions.Add(new($"replica {_node.Index}", what, _cluster.World.Now));
            _node.File.Install(new PageImage());
            Close();
            _process.After(100_000, _node.StartReplica);
        }
    }

    private void WatchDeadline()
    {
        if (!_deadlineSet && _waits.NextDeadline is { } deadline)
        {
            _deadlineSet = true;
            _process.After(_node.Clock.Until(deadline), () =>
            {
                _deadlineSet = false;
                _waits.Pass(_node.Clock.Now, _ended);
                EndReads();
                WatchDeadline();
            });
        }
    }

    private void EndReads()
    {
        while (_ended.Count > 0)
        {
            var (read, result) = _ended[^1];
            _ended.RemoveAt(_ended.Count - 1);
            End(read, result);
        }
    }

    private void End(WaitingRead read, WaitResult result)
    {
        switch (result)
        {
            case WaitResult.Reached:
                Answer(read);
                break;
            case WaitResult.Abandoned:
                _cluster.History.Abandoned.Add(new(read.Bookmark, _node.Index, _cluster.World.Now));
                read.Refuse();
                break;
            default:
                read.Refuse();
                break;
        }
    }

    private void Answer(WaitingRead read)
    {
        var image = _plant.ShowsHiddenEntries ? _pages.Newest : _pages.Visible;
        read.Answer(Tables.LastWrite(image), Tables.Row(image, read.Row), image.At);
    }
}
