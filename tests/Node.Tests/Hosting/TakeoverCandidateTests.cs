using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Node.Tests;

/// <summary>Nobody is above a candidate's timer and its tasks: what they meet must neither end the process nor the candidate.</summary>
public sealed class TakeoverCandidateTests : IDisposable
{
    private static readonly DatabaseId _database = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"));
    private static readonly Guid[] _journals = [.. Enumerable.Range(1, 3).Select(number => new Guid(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]))];
    private static readonly FollowerSet _set = FollowerSet.Majority([.. _journals]);
    private static readonly Promise _leader = new(1, 7);

    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private int _probes;
    private int _takes;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_take_that_fails_before_it_began_is_tried_again()
    {
        await using var control = Control();
        var begun = 0;
        using var candidate = Candidate(control, doFollowersAnswer: true, what =>
        {
            if (what == "begun" && ++begun == 1)
            {
                throw new InvalidOperationException("Planted.");
            }
        });
        candidate.Hear(_leader, _set);
        candidate.Lose(_leader);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal((2, 1), (begun, _takes));
    }

    [Fact]
    public async Task What_is_thrown_under_the_timer_ends_nothing()
    {
        await using var control = Control();
        using var candidate = Candidate(control, doFollowersAnswer: false, what => throw new InvalidOperationException($"Planted: {what}."));
        candidate.Hear(_leader, _set);
        candidate.Lose(_leader);
        _time.Advance(TimeSpan.FromMinutes(2)); // it gives up when so many probes were not answered, under its timer
        var probed = _probes;
        Assert.Equal(HealthTimes.Default.Attempts * _journals.Length, probed);
        candidate.Want(_leader, _set);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_probes > probed);
    }

    private EmbeddedControlPlane Control() => EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.db"), new Random(1));

    private TakeoverCandidate Candidate(IControlPlane control, bool doFollowersAnswer, Action<string> count) => new(
        _database,
        _journals[0],
        new()
        {
            Self = new NodeRecord("n0", "weur", new Uri("http://n0:1"), new Uri("http://n0:2"), _journals[0]),
            Control = control,
            Followers = new Followers(this, doFollowersAnswer),
            TakeAsync = (_, _, _) =>
            {
                _takes++;
                return Task.FromResult(true);
            },
            AskAsync = _ => Task.CompletedTask,
            Time = _time,
            Random = new Random(1),
            Logger = NullLogger.Instance,
            Count = count,
        });

    // All have lost the leader, or none ever answers.
    private sealed class Followers(TakeoverCandidateTests test, bool doAnswer) : IFollowerLinks
    {
        public IFollowerLink Open(DatabaseId database, Guid journal, Promise promise, IFollowerObserver observer) => throw new NotSupportedException();

        public Task<ProbeAnswer?> ProbeAsync(DatabaseId database, Guid journal, ulong activation, CancellationToken cancellationToken)
        {
            test._probes++;
            return doAnswer ? Task.FromResult<ProbeAnswer?>(new(HasLost: true, _leader, Position.Start)) : new TaskCompletionSource<ProbeAnswer?>().Task;
        }
    }
}
