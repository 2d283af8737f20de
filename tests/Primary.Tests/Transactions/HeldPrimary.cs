using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A primary whose journal writes only while it is told to: what waits at the gate stays there.</summary>
internal sealed class HeldPrimary : IAsyncDisposable
{
    private static readonly ReadConstraint _atPrimary = new(ReadConstraintKind.Primary, default, default, false, null, Caller.Anonymous);

    private readonly TemporaryFolder _folder = new();
    private readonly BlockingWorkers _workers = new("test", 4, 1000);
    private readonly CancellationTokenSource _stopping = new();
    private readonly EmbeddedControlPlane _control;
    private readonly FollowerNode _follower;
    private readonly Task _writing;
    private volatile bool _isHeld;

    private HeldPrimary(int seed)
    {
        var random = new Random(seed);
        _control = EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.sqlite"), random);
        _follower = FollowerNode.Start(
            new FollowerNodeOptions { Folder = Path.Combine(_folder.Path, "journal"), Journal = new JournalOptions { OwnThread = false } }, TimeProvider.System, random, NullLogger.Instance);
        _writing = WriteAsync();
    }

    public IDatabaseCopy Copy { get; private set; } = null!;

    public static async Task<HeldPrimary> StartAsync()
    {
        var primary = new HeldPrimary(seed: 1);
        var self = new NodeRecord("node", "enam", new Uri("http://127.0.0.1:1"), new Uri("http://127.0.0.1:2"));
        await using var registration = await primary._control.RegisterAsync(self);
        var record = new DatabaseRecord
        {
            Id = new DatabaseId(Guid.Parse("00000000-0000-4000-8000-000000000001")),
            Name = "d",
            CreatedAt = DateTimeOffset.UnixEpoch,
            PrimaryRegion = "enam",
            PrimaryNode = "node",
        };
        await primary._control.CreateAsync(record);
        var context = new PrimaryContext
        {
            Self = self,
            Control = primary._control,
            OwnFollower = primary._follower,
            Followers = new FollowerLinks(primary._follower, static _ => null, "node", TimeProvider.System),
            Writers = primary._workers,
            Readers = primary._workers,
            IdleCheckpoints = new(TimeProvider.System),
            FolderOf = _ => Path.Combine(primary._folder.Path, "d"),
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
        };
        primary.Copy = await PrimaryGrain.ActivateAsync(context, record.Id, default);
        await primary.ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        return primary;
    }

    /// <summary>From now on nothing is confirmed.</summary>
    public void Hold() => _isHeld = true;

    public void Release() => _isHeld = false;

    public Task<ExecuteResponse> ExecuteAsync(string sql, string key = "") => Copy.ExecuteAsync(
        new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = sql } }, IdempotencyKey = key }, _atPrimary, default);

    public Task<GetOutcomeResponse> GetOutcomeAsync(string key) => Copy.GetOutcomeAsync(new GetOutcomeRequest { Database = "d", IdempotencyKey = key }, Caller.Anonymous, default);

    /// <summary>Begins a transaction; its steps and answers go through channels.</summary>
    public (ChannelWriter<TransactRequest> Steps, ChannelReader<TransactResponse> Answers) Transact(TransactRequest.Types.Begin begin)
    {
        var steps = Channel.CreateUnbounded<TransactRequest>();
        var answers = Channel.CreateUnbounded<TransactResponse>();
        _ = RunAsync();
        return (steps.Writer, answers.Reader);

        async Task RunAsync()
        {
            using var reading = new CancellationTokenSource();
            await using var enumerator = steps.Reader.ReadAllAsync(reading.Token).GetAsyncEnumerator(reading.Token);
            await Copy.TransactAsync(begin, new TransactCall(enumerator, (response, token) => answers.Writer.WriteAsync(response, token), reading), _atPrimary, default);
            answers.Writer.Complete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        await Copy.DisposeAsync();
        await _stopping.CancelAsync();
        await _writing;
        await _follower.DisposeAsync();
        await _workers.DisposeAsync();
        await _control.DisposeAsync();
        _folder.Dispose();
        _stopping.Dispose();
    }

    private async Task WriteAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            if (!_isHeld)
            {
                _follower.OpenedJournal?.Flush();
            }

            await Task.Delay(1);
        }
    }
}
