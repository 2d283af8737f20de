using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A client that opens sessions one after the other, and in each does one operation after the other.</summary>
internal sealed class ClientSession
{
    private const long Patience = 2_500_000; // for one operation

    private readonly Cluster _cluster;
    private readonly World _world;
    private readonly ClientNumbers _numbers;
    private SimulatedNode? _primary;
    private int _session;
    private int _turn;
    private int _turnsLeft;
    private Bookmark _bookmark;
    private bool _isFirst;
    private bool _startsAtPrimary;
    private bool _isStopped;

    public ClientSession(Cluster cluster, ClientNumbers numbers)
    {
        (_cluster, _world, _numbers) = (cluster, cluster.World, numbers);
        Rest();
    }

    public void Stop() => _isStopped = true;

    private void Rest() => _world.After(_world.Between(0, _numbers.MostThinking), Next);

    private void Next()
    {
        if (_isStopped)
        {
            return;
        }

        if (_turnsLeft-- <= 0)
        {
            (_session, _turn, _turnsLeft, _bookmark, _isFirst) = (_numbers.NextSession(), 0, _world.Random.Next(1, _numbers.MostTurns), Bookmark.Start, true);
            _startsAtPrimary = _world.Chance(_numbers.FirstPrimaryShare);
        }

        _turn++;
        if (_world.Chance(_numbers.WriteShare) && _numbers.Writes < ClientNumbers.MaxWrites)
        {
            Write();
        }
        else
        {
            Read();
        }
    }

    private void Write()
    {
        var number = _numbers.NextWrite();
        var operation = new WriteOperation
        {
            Number = number,
            Session = _session,
            Turn = _turn,
            Row = _world.Random.Next(Tables.Rows),
            Key = _world.Chance(0.5) && _numbers.Keys < Tables.MaxKeys ? _numbers.NextKey() : -1,
            Begun = _world.Now,
        };
        _cluster.History.Writes.Add(operation);
        SendWrite(operation, isInsert: _world.Chance(0.2), deadline: _world.Now + Patience);
    }

    private void SendWrite(WriteOperation operation, bool isInsert, long deadline)
    {
        var call = new ClientCall<WriteAnswer>(_cluster, answer => Written(operation, isInsert, deadline, answer));
        var primary = Primary();
        if (primary is null)
        {
            call.GiveUp(after: 20_000, new(WriteResult.TryAgain, default));
            return;
        }

        call.Send(primary, reply => primary.Write(new(operation.Number, operation.Row, operation.Key, isInsert, _bookmark, reply)));
        call.GiveUp(after: _world.Between(200_000, 1_500_000), new(WriteResult.Unknown, default));
    }

    private void Written(WriteOperation operation, bool isInsert, long deadline, WriteAnswer answer)
    {
        var mayRepeat = _world.Now < deadline && !_isStopped;
        _world.Log?.Invoke($"{_world.Now} session {_session} write {operation.Number}: {answer.Result} at {answer.At.Epoch}/{answer.At.Sequence}");
        _primary = answer.Result is WriteResult.TryAgain or WriteResult.Unknown ? null : _primary;
        switch (answer.Result)
        {
            case WriteResult.Done:
                operation.Outcome = Outcome.Answered;
                operation.At = answer.At;
                Merge(answer.At);
                break;
            case WriteResult.RowExists when operation.Outcome == Outcome.Unknown && operation.Attempts == 0:
                operation.Outcome = Outcome.NothingDone;
                Saw(operation.Row, answer.LastWrite, answer.RowWrite, answer.At, operation.Begun, "the primary", isError: true, isFirstPrimary: false);
                break;
            case WriteResult.TryAgain when mayRepeat:
                _world.After(_world.Between(5_000, 80_000), () => SendWrite(operation, isInsert, deadline));
                return;
            case WriteResult.Unknown when operation.Key >= 0 && mayRepeat:
                operation.Attempts++;
                _world.After(_world.Between(5_000, 80_000), () => SendWrite(operation, isInsert, deadline));
                return;
            case WriteResult.TryAgain when operation.Attempts == 0:
                operation.Outcome = Outcome.NothingDone;
                break;
        }

        operation.Ended = _world.Now;
        _isFirst = false;
        Rest();
    }

    private void Read()
    {
        var isFirstPrimary = _isFirst && _startsAtPrimary;
        var row = _world.Random.Next(Tables.Rows);
        var begun = _world.Now;
        var atPrimary = isFirstPrimary || _world.Chance(0.3);
        var node = atPrimary ? Primary() : _world.Pick(_cluster.Nodes);
        var where = node is null ? "" : $"{(atPrimary ? "primary" : "replica")} {node.Index}";
        var call = new ClientCall<ReadAnswer?>(_cluster, answer =>
        {
            if (answer is not null)
            {
                Saw(row, answer.LastWrite, answer.RowWrite, answer.At, begun, where, isError: false, isFirstPrimary);
                _isFirst = false;
            }
            else
            {
                _primary = null;
            }

            Rest();
        });
        if (node is not null)
        {
            var bookmark = _bookmark;
            call.Send(node, reply => node.Read(new(row, bookmark, isFirstPrimary, reply), atPrimary));
        }

        call.GiveUp(after: node is null ? 20_000 : 1_500_000, null);
    }

    private void Saw(int row, int lastWrite, int rowWrite, Position at, long begun, string where, bool isError, bool isFirstPrimary)
    {
        Merge(at);
        _world.Log?.Invoke($"{_world.Now} session {_session} read at {where}: {lastWrite} at {at.Epoch}/{at.Sequence}");
        _cluster.History.Reads.Add(new()
        {
            Session = _session, Turn = _turn, Row = row, IsFirstPrimary = isFirstPrimary, IsError = isError, Where = where,
            Begun = begun, Ended = _world.Now, LastWrite = lastWrite, RowWrite = rowWrite, At = at,
        });
    }

    private void Merge(Position at)
    {
        var bookmark = at.ToBookmark(_cluster.Database);
        _bookmark = _cluster.Plant.MergesBookmarks ? Bookmark.Max(_bookmark, bookmark) : _bookmark == Bookmark.Start ? bookmark : _bookmark;
    }

    // As the catalogue said when it was last asked: a client goes on with a primary until that refuses.
    private SimulatedNode? Primary()
    {
        if (_primary is null || _world.Chance(0.1))
        {
            var leader = _cluster.Control.Read().Leader;
            _primary = leader < 0 ? null : _cluster.Nodes[_world.Chance(0.05) ? _world.Random.Next(_cluster.Nodes.Length) : leader];
        }

        return _primary;
    }
}
