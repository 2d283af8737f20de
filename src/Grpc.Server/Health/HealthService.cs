using System.Collections.Concurrent;
using global::Grpc.Health.V1;
using ReplicatedSqlite.Protocol;
using ServingStatus = global::Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>The standard health service: what is served here, to ask or to watch. Thread-safe.</summary>
/// <remarks>Source: gRPC, "GRPC Health Checking Protocol".</remarks>
public sealed class HealthService
{
    private const int MaxWatchers = 1000;

    private static readonly GrpcMethod<HealthCheckRequest, HealthCheckResponse> CheckMethod = new("grpc.health.v1.Health", "Check", MethodKind.Unary) { IsServedWhileStopping = true };
    private static readonly GrpcMethod<HealthCheckRequest, HealthCheckResponse> WatchMethod = new("grpc.health.v1.Health", "Watch", MethodKind.ServerStreaming);

    private readonly ConcurrentDictionary<string, ServingStatus> _statuses = new(StringComparer.Ordinal) { [""] = ServingStatus.Serving };
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = NewSignal(); // replaced, under the gate, by each change
    private bool _isStopping; // under the gate
    private int _watchers;

    /// <summary>Sets what clients are told about a service; the empty name stands for the server as a whole.</summary>
    public void Set(string service, bool serving)
    {
        ArgumentNullException.ThrowIfNull(service);
        Change(() =>
        {
            if (!_isStopping) _statuses[service] = serving ? ServingStatus.Serving : ServingStatus.NotServing;
        });
    }

    /// <summary>Says of every service that it is not served any more, and ends the watchers once they have heard it. For good.</summary>
    public void Stop() => Change(() =>
    {
        _isStopping = true;
        foreach (var service in _statuses.Keys) _statuses[service] = ServingStatus.NotServing;
    });

    /// <summary>Maps the two rpcs.</summary>
    public void MapTo(GrpcServices services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.MapUnary(CheckMethod, (request, _) => Check(request)).MapServerStreaming(WatchMethod, WatchAsync);
    }

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            change();
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ValueTask<HealthCheckResponse> Check(HealthCheckRequest request) =>
        _statuses.TryGetValue(request.Service, out var status)
            ? new ValueTask<HealthCheckResponse>(new HealthCheckResponse { Status = status })
            : throw new RpcException(StatusCode.NotFound, $"No service '{request.Service}' is known here.");

    private async ValueTask WatchAsync(HealthCheckRequest request, IResponseWriter<HealthCheckResponse> responses, ServerCallContext context)
    {
        if (Interlocked.Increment(ref _watchers) > MaxWatchers)
        {
            Interlocked.Decrement(ref _watchers);
            throw new RpcException(StatusCode.ResourceExhausted, $"{MaxWatchers} watchers are here already; use Check.");
        }

        try
        {
            ServingStatus? sent = null;
            while (true)
            {
                ServingStatus status;
                Task changed;
                bool isStopping;
                lock (_gate)
                {
                    status = _statuses.GetValueOrDefault(request.Service, ServingStatus.ServiceUnknown);
                    changed = _changed.Task;
                    isStopping = _isStopping;
                }

                if (status != sent) await responses.WriteAsync(new HealthCheckResponse { Status = status });
                sent = status;
                if (isStopping) throw new RpcException(StatusCode.Unavailable, "The server is stopping.");
                await changed.WaitAsync(context.CancellationToken);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _watchers);
        }
    }
}
