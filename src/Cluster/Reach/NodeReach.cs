using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Pings the other nodes over the connections that queries use, and knows from that which are near, which hang, and which to leave alone for a moment.</summary>
/// <remarks>One ping for each node at a time, and one more when an answer is late. Safe for use by any thread.</remarks>
public sealed class NodeReach : INodeSilence, IAsyncDisposable
{
    private const int MaxOnTheWay = 2;
    private const int MaxNodes = 1024; // what a node says of its distances; more is not listened to

    private readonly NodeRecord _self;
    private readonly IControlPlane _control;
    private readonly NodeChannels _channels;
    private readonly ReachTimes _times;
    private readonly TimeProvider _time;
    private readonly Random _random; // used by the loop only
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, Peer> _peers = new(); // of the nodes alive; the loop removes the others
    private readonly CancellationTokenSource _stopping = new();
    private Task _pinging = Task.CompletedTask;

    /// <param name="self">This node.</param>
    /// <param name="control">Says who is there.</param>
    /// <param name="channels">Ways to them.</param>
    /// <param name="times">How often, how patient.</param>
    /// <param name="time">Clock.</param>
    /// <param name="random">Spreads the pings.</param>
    /// <param name="logger">For what an operator should know.</param>
    public NodeReach(NodeRecord self, IControlPlane control, NodeChannels channels, ReachTimes times, TimeProvider time, Random random, ILogger logger)
    {
        _self = self;
        _control = control;
        _channels = channels;
        _times = times;
        _time = time;
        lock (random)
        {
            _random = new Random(random.Next());
        }

        _logger = logger;
    }

    /// <summary>Begins to ping.</summary>
    public void Start() => _pinging = Task.Run(PingAllAsync);

    /// <summary>The measured round trip to a node; <see langword="null"/> before the first answer.</summary>
    public TimeSpan? RoundTripTo(string nodeId) => nodeId == _self.Id ? TimeSpan.Zero : _peers.TryGetValue(nodeId, out var peer) ? peer.RoundTrip : null;

    /// <summary>The round trip between two nodes, as one of them measured it.</summary>
    public TimeSpan? Between(string nodeId, string otherId) => nodeId == _self.Id ? RoundTripTo(otherId)
        : otherId == _self.Id ? RoundTripTo(nodeId)
        : _peers.TryGetValue(nodeId, out var peer) && peer.Distances.TryGetValue(otherId, out var microseconds) ? TimeSpan.FromMicroseconds(microseconds)
        : null;

    /// <summary>It owes an answer for too long, or cannot be reached.</summary>
    public bool IsSilent(string nodeId) => _peers.TryGetValue(nodeId, out var peer) && peer.IsSilent;

    /// <summary>Whether calls that can go to another node should.</summary>
    public bool IsAside(string nodeId) => _peers.TryGetValue(nodeId, out var peer) && peer.IsAside(_time.NowMicroseconds());

    /// <summary>Whether a node said that it is about to stop.</summary>
    public bool IsLeaving(string nodeId) => _peers.TryGetValue(nodeId, out var peer) && peer.IsLeaving;

    /// <summary>A call to a node failed on its way, or its copy could not answer: it is put aside for a moment.</summary>
    public void Failed(string nodeId) => Get(nodeId).CallFailed(_time.NowMicroseconds());

    /// <summary>Cancelled when the node becomes silent. A call that could go elsewhere is ended by it instead of hanging.</summary>
    public CancellationToken SilenceOf(string nodeId) => Get(nodeId).Silence;

    /// <summary>Cancelled when the node has been silent for so long that the streams from it are worth nothing, though nobody has closed them.</summary>
    public CancellationToken LossOf(string nodeId) => Get(nodeId).Loss;

    /// <summary>A message came from a node, whichever: who speaks is not lost, though it may be too busy for pings.</summary>
    public void Heard(string nodeId) => Get(nodeId).Heard(_time.NowMicroseconds());

    /// <summary>What this node answers to a ping.</summary>
    /// <param name="isLeaving">It is about to stop.</param>
    public PingResponse Answer(bool isLeaving)
    {
        var answer = new PingResponse { Leaving = isLeaving };
        foreach (var (id, peer) in _peers)
        {
            if (peer.RoundTrip is { } roundTrip)
            {
                answer.RoundTrips.Add(id, (uint)Math.Min(roundTrip.TotalMicroseconds, uint.MaxValue));
            }
        }

        return answer;
    }

    /// <summary>Ends the pings.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _pinging;
    }

    private Peer Get(string nodeId) => _peers.GetOrAdd(nodeId, static (_, times) => new Peer(times), _times);

    private async Task PingAllAsync()
    {
        var due = _time.NowMicroseconds();
        while (!_stopping.IsCancellationRequested)
        {
            var now = _time.NowMicroseconds();
            var late = now - due > _times.PingEvery ? now - due : 0;
            var nodes = _control.Nodes;
            foreach (var (id, peer) in _peers.Where(pair => nodes.All(node => node.Id != pair.Key)).ToList())
            {
                // One that fell silent before it went is looked after until it is lost, for the sake of the streams from it. One that answered until then may lead on without the control plane.
                if (peer.IsSilent && !peer.IsLost)
                {
                    peer.Pass(now, late, isPinged: false);
                }
                else if (_peers.TryRemove(id, out _))
                {
                    peer.PingFailed(now); // whoever waits for it need not any more
                }
            }

            foreach (var node in nodes.Where(node => node.Id != _self.Id))
            {
                var peer = Get(node.Id);
                var wasSilent = peer.IsSilent;
                peer.Pass(now, late);
                if (peer.IsSilent && !wasSilent)
                {
                    ReachLog.Silent(_logger, node.Id, node.Region);
                }

                if (peer.TryBegin(MaxOnTheWay))
                {
                    _ = PingAsync(node, peer);
                }
            }

            var pause = TimeSpan.FromMicroseconds(_times.PingEvery * (0.8 + (_random.NextDouble() * 0.4)));
            due = now + (long)pause.TotalMicroseconds;
            await Task.Delay(pause, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PingAsync(NodeRecord node, Peer peer)
    {
        var sentAt = _time.NowMicroseconds();
        var wasSilent = peer.IsSilent;
        try
        {
            peer.Sent(sentAt);
            var answer = await _channels.ForQueries(node).CallAsync(
                ReplicationMethods.Ping, new PingRequest { NodeId = _self.Id }, new CallOptions { Timeout = TimeSpan.FromMicroseconds(_times.PingWithin) }, _stopping.Token);
            peer.Answered(sentAt, _time.NowMicroseconds(), answer, MaxNodes);
            if (wasSilent)
            {
                ReachLog.Heard(_logger, node.Id, node.Region, peer.RoundTrip?.TotalMilliseconds ?? 0);
            }
        }
        catch (RpcException failure) when (failure.Origin == RpcFailureOrigin.Server && failure.StatusCode != StatusCode.DeadlineExceeded)
        {
            peer.Answered(sentAt, _time.NowMicroseconds(), null, MaxNodes); // it answers, if only that it is too busy, or too old to know pings
        }
        catch (RpcException failure) when (failure.StatusCode == StatusCode.DeadlineExceeded)
        {
            // Late: the next pass judges that, who knows how long this node stood still meanwhile.
        }
        catch (RpcException)
        {
            peer.PingFailed(_time.NowMicroseconds());
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // This node stops.
        }
        finally
        {
            peer.End();
        }
    }

    /// <summary>The shell around one <see cref="ReachCore"/>.</summary>
    private sealed class Peer(ReachTimes times) : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly ReachCore _core = new(times); // under _gate
        private CancellationTokenSource _silence = new(); // under _gate; a new one after each silence
        private CancellationTokenSource _loss = new(); // the same after each loss
        private IReadOnlyDictionary<string, uint> _distances = new Dictionary<string, uint>(); // replaced as a whole
        private long _heardAt = long.MinValue; // by any thread
        private volatile bool _isLost; // as the core says; written under _gate
        private int _onTheWay; // by Interlocked

        public volatile bool IsLeaving;

        public IReadOnlyDictionary<string, uint> Distances => Volatile.Read(ref _distances);

        public TimeSpan? RoundTrip => Look(static core => core.RoundTrip) is { } microseconds ? TimeSpan.FromMicroseconds(microseconds) : null;

        public bool IsSilent => Look(static core => core.IsSilent);

        public bool IsLost => _isLost;

        public CancellationToken Silence
        {
            get
            {
                lock (_gate)
                {
                    return _silence.Token;
                }
            }
        }

        public CancellationToken Loss
        {
            get
            {
                lock (_gate)
                {
                    return _loss.Token;
                }
            }
        }

        public void Dispose()
        {
            _silence.Dispose();
            _loss.Dispose();
        }

        public bool IsAside(long now)
        {
            lock (_gate)
            {
                return _core.IsAside(now);
            }
        }

        public bool TryBegin(int most)
        {
            if (Interlocked.Increment(ref _onTheWay) <= most)
            {
                return true;
            }

            End();
            return false;
        }

        public void End() => Interlocked.Decrement(ref _onTheWay);

        public void Sent(long now) => Change(core => core.Sent(now));

        public void PingFailed(long now) => Change(core => core.PingFailed(now));

        public void CallFailed(long now) => Change(core => core.CallFailed(now));

        public void Pass(long now, long paused, bool isPinged = true) => Change(core =>
        {
            if (Volatile.Read(ref _heardAt) is var heardAt and > long.MinValue)
            {
                core.Heard(heardAt);
            }

            core.Paused(paused, now);
            core.Pass(now, isPinged);
        });

        // Called for each message: the core hears of it with the next pass, unless it is waited for.
        public void Heard(long now)
        {
            Volatile.Write(ref _heardAt, now);
            if (_isLost)
            {
                Change(core => core.Heard(now));
            }
        }

        public void Answered(long sentAt, long now, PingResponse? answer, int maxNodes)
        {
            if (answer is not null)
            {
                IsLeaving = answer.Leaving;
                if (answer.RoundTrips.Count <= maxNodes)
                {
                    Volatile.Write(ref _distances, answer.RoundTrips);
                }
            }

            Change(core => core.Answered(sentAt, now));
        }

        private T Look<T>(Func<ReachCore, T> look)
        {
            lock (_gate)
            {
                return look(_core);
            }
        }

        private void Change(Action<ReachCore> change)
        {
            CancellationTokenSource? silence, loss;
            lock (_gate)
            {
                var (wasSilent, wasLost) = (_core.IsSilent, _core.IsLost);
                change(_core);
                _isLost = _core.IsLost;
                silence = Turn(ref _silence, wasSilent, _core.IsSilent);
                loss = Turn(ref _loss, wasLost, _core.IsLost);
            }

            silence?.Cancel(); // outside: whoever waits may come back here
            loss?.Cancel();
        }

        // What is to be cancelled, if anything is.
        private static CancellationTokenSource? Turn(ref CancellationTokenSource source, bool was, bool isNow)
        {
            if (was && !isNow)
            {
                source = new CancellationTokenSource();
            }

            return isNow && !was ? source : null;
        }
    }
}
