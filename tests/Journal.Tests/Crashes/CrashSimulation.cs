using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>Random calls, random moments of writing, and random ends of the process, under one seed.</summary>
internal sealed class CrashSimulation(int seed)
{
    private const string Folder = "/journal";
    private readonly Random _random = new(seed);
    private readonly SimulatedDisk _disk = new(new Random(~seed));
    private readonly JournalModel _model = new();
    private readonly List<LogBuilder> _logs = [.. Enumerable.Range(1, 1 + (seed % 4)).Select(i => new LogBuilder(JournalFixture.Database(i)))];
    private readonly JournalOptions _options = new() { FileSizeBytes = JournalOptions.MinFileSizeBytes, OwnThread = false, GroupRecords = 1 + (seed % 30) };
    private readonly Queue<(int Number, Task Durable)> _waiting = [];
    private NodeJournal? _journal;

    /// <summary>So many lives of the process, each ended in one way or another.</summary>
    public void Run(int lives)
    {
        for (var life = 0; life < lives; life++)
        {
            Start();
            for (var calls = _random.Next(60); calls > 0; calls--)
            {
                Call();
                if (_random.Next(4) == 0)
                {
                    _journal!.Flush();
                    CollectAnswers();
                }

                if (_journal!.Fault is not null)
                {
                    break;
                }
            }

            End();
        }

        Start();
    }

    // Opening may fail too, and leaves what it leaves.
    private void Start()
    {
        for (var attempt = 0; _journal is null; attempt++)
        {
            if (attempt < 3 && _random.Next(8) == 0)
            {
                _disk.FailingSync = _random.Next(5);
                _disk.FailingWrite = _random.Next(5);
            }

            try
            {
                _journal = NodeJournal.Open(Folder, _options, _disk, _random);
            }
            catch (JournalFailedException) when (attempt < 3)
            {
                Die();
            }
        }

        (_disk.FailingSync, _disk.FailingWrite) = (0, 0);
        _model.CheckAndSettle(_journal);
        if (_random.Next(3) == 0)
        {
            (_disk.FailingSync, _disk.FailingWrite) = (_random.Next(20), _random.Next(20));
        }

        // Sometimes there is room for a few files only, or for none.
        _disk.FreeBytes = _random.Next(3) == 0 ? _random.Next(3) * _options.FileSizeBytes : long.MaxValue;
    }

    private void End()
    {
        if (_random.Next(3) == 0)
        {
            _journal!.DisposeAsync().AsTask().GetAwaiter().GetResult();
            CollectAnswers();
        }
        else
        {
            Die();
        }

        _disk.FreeBytes = long.MaxValue;
        _waiting.Clear();
        _journal = null;
    }

    private void Die()
    {
        if (_random.Next(2) == 0)
        {
            _disk.Kill();
        }
        else
        {
            _disk.Crash();
        }
    }

    private void Call()
    {
        var log = _logs[_random.Next(_logs.Count)];
        var state = _model.LatestOf(log.Database);
        log.GoTo(state.End, state.Epochs);
        try
        {
            switch (_random.Next(20))
            {
                case 0:
                    Remove(log.Database, state);
                    break;
                case 1 or 2 when !state.IsRemoved:
                    CutTo(log, state);
                    break;
                case 3 or 4 when !state.IsRemoved:
                    SetBase(log.Database, state);
                    break;
                case 5 when !state.IsRemoved:
                    SetNote(log.Database, state);
                    break;
                case 6:
                    StartAt(log, state);
                    break;
                default:
                    Append(log, state);
                    break;
            }
        }
        catch (JournalFullException)
        {
        }
    }

    private void Append(LogBuilder log, DatabaseState state)
    {
        if (state.IsRemoved)
        {
            StartAt(log, state);
            return;
        }

        var entry = log.End == Position.Start || _random.Next(10) == 0
            ? log.OpenEpoch(log.End.Epoch + 1 + (uint)_random.Next(3))
            : log.Append((byte)_random.Next(256), pages: _random.Next(40) == 0 ? _random.Next(150) : _random.Next(6));
        Follow(_journal!.AppendAsync(entry), log.Database, state with { Ends = state.Ends.Add(entry.End), Epochs = log.Epochs });
    }

    private void CutTo(LogBuilder log, DatabaseState state)
    {
        var at = _random.Next(state.Ends.Count + 1);
        var end = at == 0 ? state.Base : state.Ends[at - 1];
        log.CutTo(end);
        Follow(_journal!.CutToAsync(log.Database, end), log.Database, state with { Ends = state.Ends.RemoveRange(at, state.Ends.Count - at), Epochs = log.Epochs });
    }

    // Only what is durable may become the base; here that is what the journal says.
    private void SetBase(DatabaseId database, DatabaseState state)
    {
        var at = state.Ends.IndexOf(_journal!.LastOf(database));
        if (at >= 0)
        {
            at = _random.Next(at + 1);
            Follow(_journal.SetBaseAsync(database, state.Ends[at]), database, state with { Base = state.Ends[at], Ends = state.Ends.RemoveRange(0, at + 1) });
        }
    }

    private void SetNote(DatabaseId database, DatabaseState state)
    {
        var note = new byte[1 + _random.Next(40)];
        _random.NextBytes(note);
        Follow(_journal!.SetNoteAsync(database, note), database, state with { Note = Convert.ToHexString(note) });
    }

    private void Remove(DatabaseId database, DatabaseState state) =>
        Follow(_journal!.RemoveAsync(database), database, DatabaseState.Unknown with { IsRemoved = true, Epochs = state.Epochs, Base = state.End });

    private void StartAt(LogBuilder log, DatabaseState state)
    {
        log.OpenEpoch(log.End.Epoch + 1); // entries that others have
        log.Append((byte)_random.Next(256));
        Follow(_journal!.StartAtAsync(log.Database, log.End), log.Database, new(log.End, [], log.Epochs, state.Note, true, false));
    }

    private void Follow(Task durable, DatabaseId database, DatabaseState after) => _waiting.Enqueue((_model.Call(database, after with { IsKnown = !after.IsRemoved }), durable));

    // Calls are told in their order: some done, then either none, or all that waited refused.
    private void CollectAnswers()
    {
        while (_waiting.TryPeek(out var call) && call.Durable.IsCompletedSuccessfully)
        {
            _model.Acknowledge(call.Number);
            _waiting.Dequeue();
        }

        Assert.DoesNotContain(_waiting, call => call.Durable.IsCompletedSuccessfully);
        var faults = _waiting.Select(call => call.Durable.Exception?.InnerException).ToList();
        if (faults.Exists(fault => fault is JournalFullException))
        {
            Assert.All(faults, fault => Assert.IsType<JournalFullException>(fault));
            _model.ForgetUnacknowledged();
            _waiting.Clear();
        }

        Assert.All(faults.OfType<Exception>(), fault => Assert.True(fault is JournalFullException || _journal!.Fault is not null));
    }
}
