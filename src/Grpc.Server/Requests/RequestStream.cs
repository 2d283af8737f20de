using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>The requests of one call, taken out of Kestrel's pipe as the handler asks for them, so that a slow handler holds the client back.</summary>
internal sealed class RequestStream<TRequest> : IAsyncEnumerable<TRequest>, IAsyncEnumerator<TRequest>
    where TRequest : class, IMessage<TRequest>, new()
{
    private readonly ServerCallContext _context;
    private readonly RequestParser<TRequest> _parser;
    private readonly PipeReader _body;
    private readonly string? _encoding;
    private CancellationToken _cancellationToken;
    private bool _enumerated;
    private bool _ended;

    public RequestStream(ServerCallContext context, RequestParser<TRequest> parser)
    {
        _context = context;
        _parser = parser;
        _body = context.Http.Request.BodyReader;
        _encoding = RequestEncoding.Of(context.Http.Request);
    }

    public TRequest Current { get; private set; } = default!;

    /// <summary>The one request of a call that has no stream of them.</summary>
    public async ValueTask<TRequest> ReadSingleAsync()
    {
        StartReading(default);
        if (!await MoveNextAsync()) throw new RpcException(StatusCode.Unimplemented, "The method takes one request, but none came.");
        var request = Current;
        return await MoveNextAsync() ? throw new RpcException(StatusCode.Unimplemented, "The method takes one request, but more came.") : request;
    }

    public IAsyncEnumerator<TRequest> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (_enumerated) throw new InvalidOperationException("The requests of a call can be enumerated once only.");
        StartReading(cancellationToken);
        return this;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        if (_ended) return new ValueTask<bool>(false);
        try
        {
            if (!_body.TryRead(out var result) || !TryTake(result, out var more)) return ReadSlowAsync();
            return new ValueTask<bool>(more);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw ClientGone(e);
        }
    }

    public ValueTask DisposeAsync()
    {
        _ended = true;
        return ValueTask.CompletedTask;
    }

    private void StartReading(CancellationToken cancellationToken)
    {
        _enumerated = true;
        _cancellationToken = cancellationToken;
    }

    private async ValueTask<bool> ReadSlowAsync()
    {
        // Kestrel itself ends a read whose client has gone; a deadline, a stop or an enumeration's own token has to be passed in.
        var token = _context.HasOwnToken ? _context.CancellationToken : _cancellationToken;
        await using var registration = _context.HasOwnToken && _cancellationToken.CanBeCanceled
            ? PendingInput.CancelWith(_body, _cancellationToken)
            : default;
        while (true)
        {
            try
            {
                var result = await _body.ReadAsync(token);
                if (TryTake(result, out var more)) return more; // taking tells Kestrel what was read, and that may meet the reset too
            }
            catch (IOException e) when (e is not BadHttpRequestException)
            {
                throw ClientGone(e);
            }

            _cancellationToken.ThrowIfCancellationRequested();
        }
    }

    // A reset stream or a broken connection; the token of the call may hear of it a moment later.
    private OperationCanceledException ClientGone(IOException e) => new("The client has gone.", e, _context.Http.RequestAborted);

    private bool TryTake(ReadResult result, out bool more)
    {
        more = false;
        var buffer = result.Buffer;
        var consumed = buffer.Start;
        var examined = buffer.End;
        try
        {
            if (buffer.Length >= MessageFrame.HeaderBytes)
            {
                var frame = _parser.ParseHeader(buffer);
                if (buffer.Length >= MessageFrame.HeaderBytes + (long)frame.Length)
                {
                    var payload = buffer.Slice(MessageFrame.HeaderBytes, frame.Length);
                    consumed = examined = payload.End;
                    Current = _parser.Parse(payload, frame.Compressed, _encoding);
                    return more = true;
                }
            }

            if (!result.IsCompleted) return false;
            if (!buffer.IsEmpty)
                throw RequestParser<TRequest>.EndedInside(buffer.Length);
            return _ended = true;
        }
        catch
        {
            _ended = true;
            throw;
        }
        finally
        {
            _body.AdvanceTo(consumed, examined);
        }
    }
}
