using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <content>Carries out what the core wants done.</content>
internal sealed partial class Leadership
{
    private void Run(Action<LeaderCore, long, List<LeaderAction>> step)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            Step(step);
            if (_wanted is { } wanted && _core.Kept >= wanted)
            {
                _wanted = null;
                _kept.TrySetResult();
            }

            if (_isHeldBack && _core.Kept > _keptShown)
            {
                _actions.Add(LeaderAction.Confirmed(_core.Confirmed));
            }

            _keptShown = _core.Kept;
            if (!Queue())
            {
                return;
            }
        }

        CarryOut();
    }

    // What the own journal does not have yet is served from memory alone. When that has become much, what others have confirmed is told only as far as the own journal
    // goes: then the writer, which leaves only so much unconfirmed, waits for it too.
    private Position Show(Position confirmed)
    {
        lock (_gate)
        {
            var kept = _core.Kept;
            _recent.Trim(confirmed < kept ? confirmed : kept);
            _isHeldBack = confirmed > kept && _recent.Bytes > MaxUnkeptBytes;
            return _isHeldBack ? kept : confirmed;
        }
    }

    // Under the lock. The own journal may be unreadable just now. A core that was left in the middle of a step decides nothing any more.
    private void Step(Action<LeaderCore, long, List<LeaderAction>> step)
    {
        if (_isBroken)
        {
            return;
        }

        try
        {
            step(_core, Now, _actions);
        }
        catch (Exception e)
        {
            _actions.Clear();
            Break(e);
        }
    }

    // Under the lock.
    private void Break(Exception fault)
    {
        if (!_isBroken)
        {
            _isBroken = true;
            _queue.Enqueue(LeaderAction.Lost(new LeaderLoss(LossReason.OwnJournal, null, fault.Message)));
        }
    }

    // Under the lock. True for whoever has to carry out.
    private bool Queue()
    {
        foreach (var action in _actions)
        {
            _queue.Enqueue(action);
        }

        _actions.Clear();
        SetTimer();
        if (_carrying || _queue.Count == 0)
        {
            return false;
        }

        return _carrying = true;
    }

    private void CarryOut()
    {
        while (true)
        {
            LeaderAction action;
            lock (_gate)
            {
                if (!_queue.TryDequeue(out action))
                {
                    _carrying = false;
                    _carried?.TrySetResult();
                    return;
                }
            }

            try
            {
                CarryOut(action);
            }
            catch (Exception e)
            {
                lock (_gate)
                {
                    Break(e); // the queue goes on, and ends with this
                }
            }
        }
    }

    private void CarryOut(in LeaderAction action)
    {
        switch (action.Kind)
        {
            case LeaderActionKind.Connect:
                if (!_stopping.IsCancellationRequested)
                {
                    _links[action.Member] = new FollowerHearing(this, _ways, action.Member);
                }

                break;
            case LeaderActionKind.Reconnect:
                if (_links.TryGetValue(action.Member, out var stuck))
                {
                    stuck.Reconnect();
                }

                break;
            case LeaderActionKind.Release:
                if (_links.Remove(action.Member, out var released))
                {
                    _ = EndAsync(released, released: false);
                }

                break;
            case LeaderActionKind.Send:
                if (_links.TryGetValue(action.Member, out var link))
                {
                    link.Send(action.Message!);
                }

                break;
            case LeaderActionKind.Fetch:
                _ = FetchAsync(_links.GetValueOrDefault(action.Member), action.Member, action.Position, action.To);
                break;
            case LeaderActionKind.FetchBase:
                var (holder, first) = (action.Member, action.Position);
                var fromElsewhere = _basesWanted++ > 0;
                _ = Task.Run(() => FetchBaseAsync(holder, first, fromElsewhere));
                break;
            case LeaderActionKind.ReadLog:
                _ = ReadLogAsync(action.Member, action.Position, (int)action.Number);
                break;
            case LeaderActionKind.Adopt:
                _adopted.TrySetResult(new Adoption(action.Position, action.Sets!));
                break;
            case LeaderActionKind.Confirmed:
                _leading.TrySetResult();
                _observer?.OnConfirmed(Show(action.Position));
                break;
            case LeaderActionKind.Proof:
                Complete(action.Number, action.Ok);
                break;
            case LeaderActionKind.QuorumLost:
                _unavailable = DescribeMissing();
                _metrics.QuorumLosses.Add(1);
                PrimaryLog.QuorumLost(_logger, _start.Database, _unavailable);
                _observer?.OnAvailability();
                break;
            case LeaderActionKind.QuorumBack:
                _unavailable = null;
                PrimaryLog.QuorumBack(_logger, _start.Database);
                _observer?.OnAvailability();
                break;
            case LeaderActionKind.Deleted:
                _deleted.TrySetResult();
                break;
            case LeaderActionKind.Lost:
                Lose(action.Loss!);
                break;
            case LeaderActionKind.Diverged:
                PrimaryLog.FollowerDiverged(_logger, _start.Database, action.Member, action.Reason!);
                break;
        }
    }

    // A link that ends badly must not keep the others, or the file, from being closed.
    private async Task EndAsync(FollowerHearing link, bool released)
    {
        try
        {
            await link.EndAsync(released);
        }
        catch (Exception e)
        {
            PrimaryLog.LinkEndedBadly(_logger, _start.Database, e);
        }
    }

    private void Lose(LeaderLoss loss)
    {
        _metrics.LostLeaderships.Add(1, new KeyValuePair<string, object?>("reason", loss.Reason.ToString()));
        if (loss.Reason == LossReason.HandedOver)
        {
            PrimaryLog.LeadershipGivenUp(_logger, _start.Database, Promise.Epoch, loss.Text); // by its own will, as at a clean stop
        }
        else
        {
            PrimaryLog.LeadershipLost(_logger, _start.Database, Promise.Epoch, loss.Text);
        }

        _lost.TrySetResult(loss);
        FailProofs();
        _observer?.OnLost(Explain(loss));
    }

    private async Task FetchAsync(FollowerHearing? link, Guid holder, Position from, Position to)
    {
        try
        {
            var entries = await (link ?? throw new RequestException(ErrorCodes.NoPrimary, "Nobody is connected to it.")).ReadAsync(from, to, FetchBytes, _stopping.Token);
            Run((core, now, actions) => core.Fetched(holder, from, entries, now, actions));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Nobody is interested any more.
        }
        catch (Exception e) when (e is JournalException or RequestException or OperationCanceledException or EntryFormatException)
        {
            PrimaryLog.FetchFailed(_logger, _start.Database, holder, e.Message);
            Run((core, now, actions) => core.FetchFailed(holder, now, actions));
        }
    }

    // Only confirmed states get into a file, so a copy lies on the log, wherever it comes from. One of here comes without the followers that were in force there: where
    // the core cannot do without them it asks again, and gets one from elsewhere.
    private async Task FetchBaseAsync(Guid holder, Position first, bool fromElsewhere)
    {
        DurableBase? found = null;
        try
        {
            found = await _obtainBase(first, fromElsewhere, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return; // nobody is interested any more
        }
        catch (Exception e) when (e is IOException or RequestException or ObjectDisposedException or InvalidOperationException)
        {
            PrimaryLog.FetchFailed(_logger, _start.Database, holder, e.Message);
        }

        Run((core, now, actions) =>
        {
            if (found is not null)
            {
                core.BaseFetched(holder, found.Position, found.Sets, now, actions);
            }
            else
            {
                PrimaryLog.FetchFailed(_logger, _start.Database, holder, $"its log begins at {first}, and no copy of the database that is as new could be found");
                core.FetchFailed(holder, now, actions);
            }
        });
    }

    private async Task ReadLogAsync(Guid member, Position after, int maxBytes)
    {
        IReadOnlyList<Entry> entries = [];
        try
        {
            entries = await _workers.RunAsync(() => Read(after, maxBytes));
        }
        catch (Exception e) when (e is RequestException or ObjectDisposedException or JournalException)
        {
            PrimaryLog.FetchFailed(_logger, _start.Database, _start.OwnJournal, e.Message); // it asks again
        }

        Run((core, now, actions) => core.LogRead(member, after, [.. entries], after < _ownLog.First, now, actions));
    }

    private void Complete(long token, bool ok)
    {
        TaskCompletionSource<bool>? waiting;
        lock (_gate)
        {
            _proofs.Remove(token, out waiting);
        }

        waiting?.TrySetResult(ok);
    }

    private void FailProofs()
    {
        List<TaskCompletionSource<bool>> waiting;
        lock (_gate)
        {
            waiting = [.. _proofs.Values];
            _proofs.Clear();
        }

        waiting.ForEach(static proof => proof.TrySetResult(false));
    }

    internal void Connected(Guid member) => Run((core, now, actions) =>
    {
        _faults.Remove(member);
        core.Connected(member, now, actions);
    });

    internal void Disconnected(Guid member, string reason) => Run((core, now, actions) =>
    {
        _faults[member] = reason;
        _trouble = $"follower {member}: {reason}";
        core.Disconnected(member, now, actions);
    });

    internal void Received(Guid member, FollowerMessage message) => Run((core, now, actions) =>
    {
        if (message is NotMember stranger)
        {
            _faults[member] = stranger.Reason;
            _lostFollowers?.NoteStranger(member);
        }
        else if (message is Promised)
        {
            _lostFollowers?.NoteMember(member);
        }

        core.Receive(member, message, now, actions);
    });

    private void OnTime()
    {
        lock (_gate)
        {
            _timerDue = long.MaxValue;
        }

        Run(static (core, now, actions) => core.Pass(now, actions));
    }

    // Under the lock.
    private void SetTimer()
    {
        if (_disposed || _core.WakeAt is not { } due || due >= _timerDue)
        {
            return; // a timer that fires too early looks again
        }

        _timerDue = due;
        _timer.Change(TimeSpan.FromMicroseconds(Math.Max(0, due - Now)) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
