using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>One call as its handler sees it. Not to be used after the handler has returned.</summary>
public sealed class ServerCallContext
{
    private readonly TimeProvider _timeProvider;
    private readonly long _startedAt;
    private readonly TimeSpan? _timeout;
    private readonly CancellationToken _serverEnds;
    private readonly CallDrain _drain;
    private bool _headApplied;
    private Metadata? _requestHeaders;
    private Metadata? _responseHeaders;
    private Metadata? _responseTrailers;
    private CancellationTokenSource? _end;
    private bool _mayBeEnded;
    private string? _peer;
    private CancellationTokenRegistration _clientGone;
    private CancellationTokenRegistration _serverGone;

    /// <param name="http">The HTTP/2 stream.</param>
    /// <param name="options">The server's.</param>
    /// <param name="drain">The server's.</param>
    /// <param name="serverEnds">What ends this call when the server stops; none for unary calls, which are let finish.</param>
    internal ServerCallContext(HttpContext http, GrpcServerOptions options, CallDrain drain, CancellationToken serverEnds = default)
    {
        Http = http;
        Options = options;
        _drain = drain;
        _serverEnds = serverEnds;
        _timeProvider = options.TimeProvider;
        if (!http.Request.Headers.TryGetValue(GrpcHeaders.Timeout, out var text)) return;
        if (!GrpcTimeout.TryParse(text.ToString(), out var timeout))
            throw new RpcException(Protocol.StatusCode.Internal, $"The header {GrpcHeaders.Timeout} is '{text}'; up to eight digits and one of H, M, S, m, u, n were wanted.");
        _timeout = timeout;
        _startedAt = _timeProvider.GetTimestamp();
    }

    /// <summary>Metadata from the client, <c>authorization</c> included.</summary>
    public Metadata RequestHeaders => _requestHeaders ??= ReadRequestHeaders();

    /// <summary>One entry of the metadata from the client, for those who look for nothing else: <see cref="RequestHeaders"/> reads them all.</summary>
    /// <param name="name">Of a text entry, not a <c>-bin</c> one.</param>
    /// <param name="value">Several of that name are joined by commas.</param>
    public bool TryGetRequestHeader(string name, [NotNullWhen(true)] out string? value)
    {
        value = Http.Request.Headers.TryGetValue(name, out var values) ? values.ToString() : null;
        return value is not null;
    }

    /// <summary>Metadata to send before the first response. Changes after that have no effect.</summary>
    public Metadata ResponseHeaders => _responseHeaders ??= [];

    /// <summary>Metadata to send with the status.</summary>
    public Metadata ResponseTrailers => _responseTrailers ??= [];

    /// <summary>Cancelled when the client has gone or cancelled, when the deadline passes, and when a stopping server has no more patience with a stream.</summary>
    public CancellationToken CancellationToken => HasOwnToken ? (_end ?? StartEnd()).Token : Http.RequestAborted;

    /// <summary>Lets <see cref="End"/> end this call. To be called before anybody has taken its token.</summary>
    public void AllowEnd() => _mayBeEnded = true;

    /// <summary>Cancels the call from outside: if it ends by that, the client is told this reason. Only while the handler runs.</summary>
    public void End(Exception reason)
    {
        EndReason = reason;
        (_end ?? StartEnd()).Cancel();
    }

    /// <summary>Why somebody has ended the call; <see langword="null"/> if nobody has.</summary>
    public Exception? EndReason { get; private set; }

    /// <summary>Time left to the client's deadline, never negative; <see langword="null"/> if it set none.</summary>
    public TimeSpan? Remaining =>
        _timeout is not { } timeout ? null : TimeSpan.FromTicks(Math.Max(0, (timeout - _timeProvider.GetElapsedTime(_startedAt)).Ticks));

    /// <summary>The client's address and port.</summary>
    public string Peer => _peer ??= string.Create(CultureInfo.InvariantCulture, $"{Http.Connection.RemoteIpAddress}:{Http.Connection.RemotePort}");

    /// <summary>The client is on this machine. Behind a proxy on this machine everybody is.</summary>
    public bool IsFromLoopback => IsLoopback(Http.Connection.RemoteIpAddress);

    /// <summary>The client has shown a certificate that the port's authority for peers signed (<see cref="ServerTls.PeerAuthorities"/>).</summary>
    public bool HasTrustedCertificate => Http.Features.Get<TrustedPeer>() is not null;

    /// <summary>Whom the server's guard took the client for; <see langword="null"/> for rpcs that everybody may call.</summary>
    public object? Identity { get; set; }

    internal HttpContext Http { get; }

    internal GrpcServerOptions Options { get; }

    /// <summary>Whether anything but the client's going ends the call.</summary>
    internal bool HasOwnToken => _timeout is not null || _mayBeEnded || _serverEnds.CanBeCanceled;

    /// <summary>The server is stopping: what is cancelled now is not the client's doing.</summary>
    internal bool IsServerStopping => _drain.Begun.IsCancellationRequested;

    // The timer counts as well: it may fire a moment before the time that is looked at here is over.
    internal bool DeadlinePassed =>
        _timeout is not null && (Remaining == TimeSpan.Zero || (_end is { IsCancellationRequested: true } && !_serverEnds.IsCancellationRequested));

    /// <summary>Responses of at least this size are compressed; known once the head is applied.</summary>
    internal int GzipFromBytes { get; private set; } = int.MaxValue;

    /// <summary>The client's window is full and the call is over: nothing that is sent now would arrive.</summary>
    internal bool IsOutputStuck { get; set; }

    internal Metadata? TrailersIfAny => _responseTrailers;

    /// <summary>Sends the response's headers now, for a client that waits for them; otherwise they go with the first response.</summary>
    public async ValueTask SendHeadersAsync()
    {
        ApplyHead();
        await Http.Response.StartAsync(CancellationToken);
        await Http.Response.BodyWriter.FlushAsync(CancellationToken);
    }

    /// <summary>Sets the response's headers, once; they leave with the first flush.</summary>
    /// <param name="mayCompress">Whether any message of the call may be large enough for it: others do not pay for looking at what the client accepts.</param>
    internal void ApplyHead(bool mayCompress = true)
    {
        if (_headApplied) return;
        _headApplied = true;
        var response = Http.Response;
        response.ContentType = GrpcHeaders.ContentType;
        if (mayCompress) GzipFromBytes = ResponseCompression.Threshold(Http.Request, Options);
        if (GzipFromBytes != int.MaxValue) response.Headers[GrpcHeaders.Encoding] = GrpcHeaders.Gzip;
        if (_responseHeaders is not { } metadata) return;
        foreach (var entry in metadata) response.Headers.Append(entry.Name, entry.Value);
    }

    /// <summary>Whether an address is this machine's own to itself, also one of IPv4 that comes over a socket for both.</summary>
    public static bool IsLoopback(IPAddress? address) => address is not null && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    internal void Finish()
    {
        _clientGone.Dispose();
        _serverGone.Dispose();
        _end?.Dispose();
    }

    private CancellationTokenSource StartEnd()
    {
        var source = Remaining is { TotalMilliseconds: < uint.MaxValue - 1 } remaining // a longer one (49 days) cannot be set
            ? new CancellationTokenSource(remaining, _timeProvider)
            : new CancellationTokenSource();
        if (Interlocked.CompareExchange(ref _end, source, null) is { } other)
        {
            source.Dispose();
            return other;
        }

        _clientGone = Http.RequestAborted.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), source);
        _serverGone = _serverEnds.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), source);
        return source;
    }

    private Metadata ReadRequestHeaders()
    {
        var metadata = new Metadata();
        foreach (var (name, values) in Http.Request.Headers)
        {
            foreach (var value in values) metadata.AddFromWire(name, value ?? "");
        }

        return metadata;
    }
}
