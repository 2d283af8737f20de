using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower.Tests;

/// <summary>A core on a disk of its own that writes when it is told to, and forgets what it did not write when it crashes.</summary>
internal sealed class FollowerDriver
{
    public const int Stream = 1;
    public const long Second = 1_000_000;

    private readonly MemoryLog _disk = new();
    private readonly Queue<FollowerAction> _unwritten = [];
    private readonly List<FollowerAction> _actions = [];
    private readonly Func<FollowerState, ILogView, long, FollowerCore> _create;
    private FollowerNote? _note;

    public FollowerDriver(Func<FollowerState, ILogView, long, FollowerCore>? create = null)
    {
        _create = create ?? ((state, log, startedAt) => new FollowerCore(Journal, state, log, FollowerTimes.Default, startedAt));
        Core = null!;
        Start();
    }

    public static Guid Journal { get; } = new("11111111-1111-1111-1111-111111111111");

    public FollowerCore Core { get; private set; }

    public long Now { get; set; } = 100 * Second;

    public FollowerNote? DiskNote => _note;

    public Position DiskLast => _disk.Last;

    public Position DiskFirst => _disk.First;

    /// <summary>Every write that was ordered, written or not, by name.</summary>
    public List<string> Ordered { get; } = [];

    public List<FollowerAction> Others { get; } = [];

    /// <summary>A message comes; nothing is written by itself.</summary>
    public List<FollowerMessage> Hear(LeaderMessage message, int stream = Stream)
    {
        if (!Opened.Contains(stream))
        {
            Open(stream, message.Promise.Activation);
        }

        Core.Receive(stream, message, Now, _actions);
        return Carry(stream);
    }

    /// <summary>A message comes and everything is written.</summary>
    public List<FollowerMessage> Do(LeaderMessage message, int stream = Stream) => [.. Hear(message, stream), .. Write(stream: stream)];

    public HashSet<int> Opened { get; } = [];

    public void Open(int stream, ulong activation)
    {
        Core.Opened(stream, activation, Now);
        Opened.Add(stream);
    }

    public void Close(int stream, bool released = false)
    {
        Core.Closed(stream, released, Now);
        Opened.Remove(stream);
    }

    /// <summary>The disk takes the next writes, all by default, and says so.</summary>
    public List<FollowerMessage> Write(int count = int.MaxValue, int stream = Stream)
    {
        long ticket = 0;
        for (; count > 0 && _unwritten.TryDequeue(out var write); count--)
        {
            switch (write)
            {
                case FollowerAction.WriteEntry(var entry, var at):
                    _disk.Append(entry.Predecessor, entry.End);
                    ticket = at;
                    break;
                case FollowerAction.WriteCut(var end, var at):
                    _disk.CutTo(end);
                    ticket = at;
                    break;
                case FollowerAction.WriteNote(var note, var at):
                    _note = FollowerNote.Decode(note.Encode());
                    ticket = at;
                    break;
                case FollowerAction.WriteBase(var to, var at):
                    _disk.TrimTo(to);
                    ticket = at;
                    break;
                case FollowerAction.WriteStart(var start, var at):
                    _disk.StartAt(start);
                    ticket = at;
                    break;
            }
        }

        if (ticket != 0)
        {
            Core.Written(ticket, Now, _actions);
        }

        return Carry(stream);
    }

    public List<FollowerMessage> Wait(long microseconds, int stream = Stream)
    {
        Now += microseconds;
        Core.Pass(Now, _actions);
        return Carry(stream);
    }

    /// <summary>The process is killed; what was not written is lost.</summary>
    public void Crash()
    {
        _unwritten.Clear();
        Start();
    }

    private void Start()
    {
        Opened.Clear();
        Core = _create(new(_disk.Last, _disk.First, _note), _disk, Now);
    }

    private List<FollowerMessage> Carry(int stream)
    {
        var replies = new List<FollowerMessage>();
        foreach (var action in _actions)
        {
            switch (action)
            {
                case FollowerAction.Reply reply:
                    if (reply.Stream == stream)
                    {
                        replies.Add(reply.Message);
                    }
                    else
                    {
                        Others.Add(reply);
                    }

                    break;
                case FollowerAction.CloseStream or FollowerAction.Diverged:
                    Others.Add(action);
                    break;
                default:
                    _unwritten.Enqueue(action);
                    Ordered.Add(action.GetType().Name);
                    break;
            }
        }

        _actions.Clear();
        return replies;
    }

    private sealed class MemoryLog : ILogView
    {
        private readonly List<Position> _ends = []; // behind First

        public Position First { get; private set; }

        public Position Last => _ends.Count == 0 ? First : _ends[^1];

        public bool Holds(Position position) => position == First || _ends.Contains(position);

        public Position FloorOf(uint epoch, ulong sequence)
        {
            var at = _ends.FindLastIndex(end => (end.Epoch, end.Sequence).CompareTo((epoch, sequence)) <= 0);
            return at < 0 ? First : _ends[at];
        }

        public void Append(Position predecessor, Position end)
        {
            Assert.Equal(Last, predecessor);
            _ends.Add(end);
        }

        public void CutTo(Position end)
        {
            Assert.True(Holds(end));
            _ends.RemoveAll(entry => entry > end);
        }

        public void TrimTo(Position to)
        {
            Assert.True(Holds(to));
            First = to;
            _ends.RemoveAll(entry => entry <= to);
        }

        public void StartAt(Position start)
        {
            _ends.Clear();
            First = start;
        }
    }
}
