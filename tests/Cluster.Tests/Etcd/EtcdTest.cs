using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

/// <summary>What the tests of the etcd control plane share: nodes with a memory each, and what they tell their operator.</summary>
public abstract class EtcdTest : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _folder = new();
    private readonly Stack<IAsyncDisposable> _parts = new();

    private protected KeptLog Log { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(EtcdServer.IsThere, EtcdServer.Missing);
        await BeginAsync();
    }

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }

        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected virtual Task BeginAsync() => Task.CompletedTask;

    private protected T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }

    private protected string FileOf(string name) => Path.Combine(_folder.Path, name);

    private protected Task CopyMemoryAsync(string node, string under) =>
        _folder.CopyInAsync(Directory.GetFiles(_folder.Path, $"{node}.sqlite*"), under);

    /// <summary>Options with short times; <paramref name="node"/> names the memory.</summary>
    private protected EtcdOptions Options(string node, params Uri[] endpoints) => new()
    {
        Endpoints = endpoints, MemoryPath = FileOf($"{node}.sqlite"), Lease = TimeSpan.FromSeconds(2), Pulse = TimeSpan.FromMilliseconds(100),
        AnswerPatience = TimeSpan.FromSeconds(1), CallPatience = TimeSpan.FromSeconds(3),
    };

    private protected Task<EtcdControlPlane> ConnectAsync(string node, params Uri[] endpoints) => ConnectAsync(Options(node, endpoints));

    private protected async Task<EtcdControlPlane> ConnectAsync(EtcdOptions options, TimeProvider? time = null) =>
        Keep(await EtcdControlPlane.ConnectAsync(options, time ?? TimeProvider.System, new Random(1), Log));

    private protected static NodeRecord Node(string id) => new(id, "weur", new Uri("http://localhost:1"), new Uri("http://localhost:2"), Guid.Empty);

    private protected static DatabaseRecord Database(int number, string name) => ControlPlaneContract.Database(number, name);

    private protected static async Task UntilAsync(Func<bool> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, $"Not within {_patience.TotalSeconds} s: {what}");
            await Task.Delay(10);
        }
    }

    private protected static async Task<RequestException> RefusedAsync(string code, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RequestException>(call);
        Assert.Equal(code, refused.Error.Code);
        return refused;
    }

    /// <summary>Keeps what was logged.</summary>
    internal sealed class KeptLog : ILogger
    {
        private readonly ConcurrentQueue<(int Id, string Text)> _lines = new();

        public int Count(int id) => _lines.Count(line => line.Id == id);

        public string All => string.Join('\n', _lines.Select(line => $"{line.Id} {line.Text}"));

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue((eventId.Id, $"{formatter(state, exception)} {exception}"));
    }
}
