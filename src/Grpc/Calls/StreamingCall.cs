using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>The response side of a call with streams: waits for the head, reads message by message, ends with the status.</summary>
internal sealed class StreamingCall<TResponse> : IAsyncDisposable
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly GrpcChannel _channel;
    private readonly MessageParser<TResponse> _parser;
    private readonly Task<HttpResponseMessage> _response;
    private readonly Func<bool> _wasTaken;
    private MessageReader<TResponse>? _reader; // made by the first read
    private bool _ended;

    public StreamingCall(
        GrpcChannel channel, string method, MessageParser<TResponse> parser, HttpContent content, Func<bool> wasTaken, bool isGzip, CallOptions? options, CancellationToken cancellationToken)
    {
        _wasTaken = wasTaken;
        _channel = channel;
        _parser = parser;
        Lifetime = new CallLifetime(options?.Timeout, channel.Options.TimeProvider, cancellationToken);
        _response = channel.SendAsync(method, content, isGzip, options, Lifetime.Token);
    }

    public CallLifetime Lifetime { get; }

    public TResponse Current => _reader is { } reader ? reader.Current : throw new InvalidOperationException("Read first.");

    public Task<HttpResponseMessage> Response => _response;

    public Metadata Trailers { get; private set; } = [];

    public async Task<Metadata> ReadHeadersAsync()
    {
        try
        {
            return ResponseHead.Headers(await _response.ConfigureAwait(false));
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e);
        }
    }

    /// <summary>The next message; false after the last, when the status is OK.</summary>
    public ValueTask<bool> MoveNextAsync()
    {
        if (_ended) return new ValueTask<bool>(false);
        if (_reader is { } reader)
        {
            var read = Begin(reader);
            if (!read.IsCompletedSuccessfully) return FinishReadAsync(read);
            return read.GetAwaiter().GetResult() ? new ValueTask<bool>(true) : FinishReadAsync(new ValueTask<bool>(false));
        }

        return StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ended) Lifetime.End(EndReason.Disposed);
        _reader?.Dispose();
        try
        {
            (await _response.ConfigureAwait(false)).Dispose(); // resets the stream if it has not ended
        }
#pragma warning disable CA1031 // Whoever disposes is not interested in how the call failed; the read has reported it.
        catch
        {
        }
#pragma warning restore CA1031
        Lifetime.Dispose();
    }

    public Exception Translate(Exception exception) => TransportFailure.Translate(exception, _channel.Address, _wasTaken(), Lifetime, Lifetime.CallerToken);

    private ValueTask<bool> Begin(MessageReader<TResponse> reader)
    {
        try
        {
            return reader.ReadAsync(Lifetime.Token);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<bool>(e);
        }
    }

    private async ValueTask<bool> StartAsync()
    {
        try
        {
            var response = await _response.ConfigureAwait(false);
            ResponseHead.Check(response);
            var body = await response.Content.ReadAsStreamAsync(Lifetime.Token).ConfigureAwait(false);
            _reader = new MessageReader<TResponse>(response, body, _parser, _channel.Options.MaxMessageBytes);
        }
        catch (Exception e)
        {
            Stop();
            if (e is RpcException) throw;
            throw Translate(e);
        }

        return await MoveNextAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> FinishReadAsync(ValueTask<bool> read)
    {
        try
        {
            if (await read.ConfigureAwait(false)) return true;
            var response = await _response.ConfigureAwait(false);
            Trailers = ResponseHead.Trailers(response);
            Stop();
            ResponseHead.CheckEnd(response);
            return false;
        }
        catch (Exception e)
        {
            Stop();
            if (e is RpcException) throw;
            throw Translate(e);
        }
    }

    // After the end nothing is left to cancel, and a late deadline must not turn a call that succeeded into one that failed.
    private void Stop()
    {
        _ended = true;
        Lifetime.Dispose();
    }
}
