using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class PrimaryWatchTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly NodeRecord _primary = Node("node");
    private static readonly NodeRecord _other = Node("other");
    private static readonly DatabaseRecord _database = ControlPlaneContract.Database(1, "app") with { PrimaryNode = _primary.Id };

    private readonly TemporaryFolder _folder = new();
    private readonly Silence _silence = new();
    private EmbeddedControlPlane _control = null!;
    private IAsyncDisposable _registration = null!;

    public async ValueTask InitializeAsync()
    {
        _control = EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.sqlite"), new Random(1));
        _registration = await _control.RegisterAsync(_primary);
        await _control.RegisterAsync(_other);
        await _control.CreateAsync(_database);
    }

    [Fact]
    public async Task A_call_to_a_silent_node_ends_when_another_one_leads()
    {
        using var watch = Watch();
        _silence.Begin();
        await _silence.AskedAsync(5); // it looks, and keeps the call
        Assert.False(watch.IsCut);
        await TakeOverAsync();
        await CutAsync(watch);
    }

    [Fact]
    public async Task A_node_that_answers_again_is_watched_for_its_next_silence()
    {
        using var watch = Watch();
        for (var i = 0; i < 3; i++)
        {
            _silence.Begin();
            await _silence.AskedAsync(1);
            var listening = _silence.ListenedToAsync();
            _silence.End();
            await listening;
            Assert.False(watch.IsCut);
        }

        await TakeOverAsync();
        Assert.False(watch.IsCut); // as long as it answers it will answer the call too
        _silence.Begin();
        await CutAsync(watch);
    }

    [Fact]
    public async Task A_call_to_a_silent_node_ends_when_the_control_plane_does_not_know_the_node_any_more()
    {
        using var watch = Watch();
        _silence.Begin();
        await _silence.AskedAsync(1);
        await _registration.DisposeAsync();
        await CutAsync(watch);
    }

    [Fact]
    public async Task A_node_that_left_the_control_plane_but_answers_keeps_its_calls_until_another_one_leads()
    {
        using var watch = Watch();
        await _registration.DisposeAsync();
        _silence.Forget(); // nobody pings it any more
        await _silence.AskedAsync(5);
        Assert.False(watch.IsCut);
        await TakeOverAsync();
        await CutAsync(watch);
    }

    [Fact]
    public async Task The_end_of_the_call_is_passed_on_and_is_no_loss()
    {
        using var call = new CancellationTokenSource();
        using var watch = _control.Watch(_silence, call.Token);
        await call.CancelAsync();
        Assert.True(watch.Token.IsCancellationRequested);
        Assert.False(watch.IsCut);
    }

    public async ValueTask DisposeAsync()
    {
        await _control.DisposeAsync();
        _folder.Dispose();
    }

    private PrimaryWatch Watch() => _control.Watch(_silence, CancellationToken.None);

    private Task<uint> TakeOverAsync() => _control.TakeEpochAsync(_database.Id, _other.Id, 0, 0);

    private static async Task CutAsync(PrimaryWatch watch)
    {
        var cut = new TaskCompletionSource();
        await using var registration = watch.Token.Register(cut.SetResult);
        await cut.Task.WaitAsync(_patience, TimeProvider.System);
        Assert.True(watch.IsCut);
    }

    private static NodeRecord Node(string id) => new(id, "enam", new Uri("http://127.0.0.1:1"), new Uri("http://127.0.0.1:1"));

    private sealed class Silence : INodeSilence
    {
        private readonly Lock _gate = new();
        private CancellationTokenSource _source = new();
        private bool _isSilent;
        private int _questions;
        private (int At, TaskCompletionSource Reached) _asked = (int.MaxValue, new());
        private TaskCompletionSource _listened = new();

        public bool IsSilent(string nodeId)
        {
            lock (_gate)
            {
                if (++_questions >= _asked.At)
                {
                    _asked.Reached.TrySetResult();
                }

                return _isSilent;
            }
        }

        public CancellationToken SilenceOf(string nodeId)
        {
            lock (_gate)
            {
                _listened.TrySetResult();
                return _source.Token;
            }
        }

        public void Begin()
        {
            lock (_gate)
            {
                _isSilent = true;
            }

            _source.Cancel();
        }

        public void Forget() => _source.Cancel();

        public void End()
        {
            lock (_gate)
            {
                _source = new CancellationTokenSource();
                _isSilent = false;
            }
        }

        /// <summary>So many more looks.</summary>
        public Task AskedAsync(int count)
        {
            lock (_gate)
            {
                _asked = (_questions + count, new(TaskCreationOptions.RunContinuationsAsynchronously));
                return _asked.Reached.Task.WaitAsync(_patience, TimeProvider.System);
            }
        }

        public Task ListenedToAsync()
        {
            lock (_gate)
            {
                _listened = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return _listened.Task.WaitAsync(_patience, TimeProvider.System);
            }
        }
    }
}

file static class Watching
{
    public static PrimaryWatch Watch(this EmbeddedControlPlane control, INodeSilence silence, CancellationToken cancellationToken) => new(
        control, silence, control.Nodes.Single(node => node.Id == "node"), control.Find("app")!.Id, TimeProvider.System, cancellationToken);
}
