using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

// The writer's turns, the gate, and reads with their proofs.
internal sealed partial class LeaderHost
{
    private const int MostInTurn = 4;
    private const int MostUnconfirmed = 64;

    private readonly Queue<WaitingWrite> _waiting = new();
    private readonly Dictionary<long, PrimaryRead> _proofs = [];
    private readonly WriterImages _images = new();
    private GateCore<HeldAnswer>? _gate;
    private bool _turnSet;
    private long _nextToken;

    public void Write(WaitingWrite write)
    {
        if (!Leads || _gate is null || _target is not null || !Core.HasQuorum || _waiting.Count > 100)
        {
            write.Answer(new(WriteResult.TryAgain, Position.Start));
            return;
        }

        _waiting.Enqueue(write);
        SetTurn();
    }

    public void Read(WaitingRead read)
    {
        if (!Leads || _gate is null || IsAhead(read.Bookmark))
        {
            read.Refuse();
            return;
        }

        // Snapshot and proof are taken after arrival; the answer leaves when its state is confirmed and the proof is there.
        var held = new PrimaryRead(read, new(Tables.LastWrite(_image), Tables.Row(_image, read.Row), _image.At)) { NeedsProof = read.IsFirstPrimary, NeedsGate = true };
        if (read.IsFirstPrimary)
        {
            var token = ++_nextToken;
            _proofs.Add(token, held);
            _cluster.Plant.AskProof(this, token);
        }

        held.NeedsGate = !_cluster.Plant.ReadsPassTheGate && Hold(_image.At, new HeldAnswer(held.PassGate, held.Fail)) != GateAnswer.Pass;
        held.TryAnswer();
    }

    /// <summary>Asks the core for a proof that this leadership stands.</summary>
    public void AskProof(long token) => Do(now => Core.AskProof(token, now, _actions));

    /// <summary>A proof was given, or will not be.</summary>
    public void Proved(long token, bool isValid)
    {
        if (_cluster.Plant.SeesProof(this, token, isValid) && _proofs.Remove(token, out var read))
        {
            if (isValid)
            {
                read.PassProof();
            }
            else
            {
                read.Fail();
            }
        }
    }

    private bool IsAhead(Bookmark bookmark) => (bookmark.Epoch, bookmark.Sequence).CompareTo((_image.At.Epoch, _image.At.Sequence)) > 0;

    private void OpenClients(Position position) => _gate = new(position);

    private void PassGate(Position position)
    {
        var passing = new List<HeldAnswer>();
        _gate!.Confirm(position, passing);
        passing.ForEach(held => held.Pass());
        SetTurn();
        TryPass();
    }

    private void CloseClients()
    {
        var failing = new List<HeldAnswer>();
        _gate?.Close(failing);
        failing.ForEach(held => held.Fail());
        foreach (var read in _proofs.Values)
        {
            read.Fail();
        }

        foreach (var write in _waiting)
        {
            write.Answer(new(WriteResult.TryAgain, Position.Start));
        }

        foreach (var stream in _subscribers.Values.ToList())
        {
            stream.Send(new CopyMessage.Goodbye());
            stream.CloseByPrimary();
        }
    }

    private GateAnswer Hold(Position computedAt, HeldAnswer held)
    {
        var answer = _gate!.Hold(computedAt, held);
        if (answer == GateAnswer.Lost)
        {
            held.Fail();
        }

        return answer;
    }

    private void SetTurn()
    {
        if (!_turnSet && _waiting.Count > 0)
        {
            _turnSet = true;
            _process.After(World.Between(20, 400), Turn);
        }
    }

    private void Turn()
    {
        _turnSet = false;
        if (!Leads || _isPassing || _log.Count - _recorded > MostUnconfirmed)
        {
            return; // the next confirmation calls again
        }

        var changed = new SortedSet<int>();
        var (writes, rows) = (new List<int>(), new List<int>());
        var answers = new List<(WaitingWrite Write, WriteAnswer Answer, Position? At)>();
        var before = _image.At;
        while (writes.Count < MostInTurn && _waiting.TryDequeue(out var write))
        {
            if (IsAhead(write.Bookmark))
            {
                write.Answer(new(WriteResult.TryAgain, Position.Start));
            }
            else if (write.Key >= 0 && _cluster.Plant.LooksForKeys && Tables.Key(_image, write.Key) != 0)
            {
                answers.Add((write, new(WriteResult.Done, default), null));
            }
            else if (write.IsInsert && Tables.Row(_image, write.Row) != 0)
            {
                answers.Add((write, new(WriteResult.RowExists, default, Tables.LastWrite(_image), Tables.Row(_image, write.Row)), null));
            }
            else
            {
                writes.Add(write.Number);
                rows.Add(write.Row);
                var sequence = before.Sequence + (ulong)writes.Count;
                Tables.Write(_image, changed, write.Number, write.Row, write.Key, sequence);
                answers.Add((write, new(WriteResult.Done, default), new Position(Promise.Epoch, sequence, default)));
            }
        }

        if (writes.Count > 0)
        {
            Append(Build(before, changed, writes.Count), writes, rows);
        }

        foreach (var (write, answer, _) in answers)
        {
            Answer(write, answer with { At = _image.At }, isFound: answer.Result == WriteResult.Done && !writes.Contains(write.Number));
        }

        SetTurn();
    }

    private void Answer(WaitingWrite write, WriteAnswer answer, bool isFound)
    {
        var passes = answer.Result == WriteResult.RowExists ? _cluster.Plant.ErrorsPassTheGate : isFound && _cluster.Plant.FoundKeysPassTheGate;
        var lost = answer.Result == WriteResult.Done && !isFound ? WriteResult.Unknown : WriteResult.TryAgain;
        var held = new HeldAnswer(() => write.Answer(answer), () => write.Answer(new(lost, Position.Start)));
        if (passes || Hold(answer.At, held) == GateAnswer.Pass)
        {
            held.Pass();
        }
    }

    private Entry Build(Position before, SortedSet<int> changed, int writes)
    {
        var header = new EntryHeader
        {
            Database = _cluster.Database, Epoch = Promise.Epoch, FirstSequence = before.Sequence + 1, LastSequence = before.Sequence + (ulong)writes,
            Predecessor = before, PageSizeBytes = PageImage.PageSize, DatabaseSizePages = (uint)_image.PageCount, CommitTimeMicroseconds = World.Now + 1,
        };
        var images = _cluster.Plant.KeepsImageCache ? _node.Images : _images;
        var builder = new EntryBuilder(header, changed.Count);
        foreach (var page in changed)
        {
            images.Add(builder, page, _image[page]);
        }

        return builder.Build();
    }
}
