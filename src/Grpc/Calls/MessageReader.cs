using System.Buffers;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>Takes messages out of a response's body. One read at a time; <see cref="Dispose"/> may come from any thread.</summary>
internal sealed class MessageReader<TResponse>(HttpResponseMessage response, Stream stream, MessageParser<TResponse> parser, int maxMessageBytes) : IDisposable
    where TResponse : IMessage<TResponse>
{
    private const int InitialBytes = 16 * 1024;
    private const int Idle = 0, Reading = 1, Disposed = 2;

    // Only what is announced is buffered: at most one message and the start of the next.
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBytes);
    private int _start;
    private int _end;
    private int _needed = MessageFrame.HeaderBytes; // of the message at _start, as far as it is known
    private int _state;

    public TResponse Current { get; private set; } = default!;

    /// <summary>Reads the next message into <see cref="Current"/>; false at the end of the body.</summary>
    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _state, Reading, Idle) != Idle)
            throw new InvalidOperationException("The stream is disposed, or another read is still waiting; read one message after the other.");
        try
        {
            if (TryTake())
            {
                Leave();
                return new ValueTask<bool>(true);
            }
        }
        catch
        {
            Leave();
            throw;
        }

        return FillAsync(cancellationToken);
    }

    public void Dispose()
    {
        // A read that is still waiting may write into the buffer: then the garbage collector takes it instead of the pool.
        if (Interlocked.Exchange(ref _state, Disposed) == Idle) ArrayPool<byte>.Shared.Return(_buffer);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                MakeRoom();
                var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    return _end == _start
                        ? false
                        : throw new RpcException(StatusCode.Internal, $"The response ended inside a message: {_end - _start} of {_needed} bytes came.", null, RpcFailureOrigin.InFlight, null, null);
                }

                _end += read;
                if (TryTake()) return true;
            }
        }
        finally
        {
            Leave();
        }
    }

    private void Leave() => Interlocked.CompareExchange(ref _state, Idle, Reading);

    private bool TryTake()
    {
        var available = _buffer.AsSpan(_start, _end - _start);
        if (available.Length < MessageFrame.HeaderBytes) return false;
        var frame = MessageFrame.Parse(available, maxMessageBytes);
        _needed = MessageFrame.HeaderBytes + frame.Length;
        if (available.Length < _needed) return false;
        var payload = available.Slice(MessageFrame.HeaderBytes, frame.Length);
        Current = frame.Compressed ? ParseCompressed(frame.Length) : parser.ParseFrom(payload);
        _start += _needed;
        _needed = MessageFrame.HeaderBytes;
        return true;
    }

    private TResponse ParseCompressed(int length)
    {
        if (!ResponseHead.IsGzip(response)) throw new RpcException(StatusCode.Internal, "A message is marked as compressed, but the server named no grpc-encoding.");
        var (rented, size) = GzipPayload.Decompress(new ReadOnlySequence<byte>(_buffer, _start + MessageFrame.HeaderBytes, length), maxMessageBytes);
        try
        {
            return parser.ParseFrom(rented.AsSpan(0, size));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void MakeRoom()
    {
        if (_start == _end) _start = _end = 0;
        if (_buffer.Length - _start >= _needed && _end < _buffer.Length && _needed <= _buffer.Length) return;
        if (_needed <= _buffer.Length)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(_needed);
            _buffer.AsSpan(_start, _end - _start).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        (_start, _end) = (0, _end - _start);
    }
}
