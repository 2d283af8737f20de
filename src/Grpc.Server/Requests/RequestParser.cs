using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Turns payloads into messages and refuses those that are none. One a method; thread-safe.</summary>
/// <param name="parser">The generated parser.</param>
/// <param name="maxMessageBytes">The limit of a message, before and after decompression.</param>
/// <param name="reportsSqlErrors">Whether a refusal is worded as the public contract asks.</param>
internal sealed class RequestParser<TRequest>(MessageParser<TRequest> parser, int maxMessageBytes, bool reportsSqlErrors)
    where TRequest : class, IMessage<TRequest>, new()
{
    private readonly StringFields _strings = StringFields.Of(new TRequest().Descriptor);

    public MessageFrame ParseHeader(ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[MessageFrame.HeaderBytes];
        buffer.Slice(0, MessageFrame.HeaderBytes).CopyTo(header);
        try
        {
            return MessageFrame.Parse(header, maxMessageBytes);
        }
        catch (MessageTooLargeException e) when (reportsSqlErrors)
        {
            throw new RequestException(ErrorCodes.RequestTooLarge, e.Message);
        }
    }

    /// <summary>Takes the one request of a call once its body has ended; leaves the body as it is until then.</summary>
    public void TryParseSingle(PipeReader body, ReadResult read, string? encoding, out TRequest? request)
    {
        request = null;
        var buffer = read.Buffer;
        if (buffer.Length < MessageFrame.HeaderBytes)
        {
            if (!read.IsCompleted)
            {
                body.AdvanceTo(buffer.Start, buffer.End);
                return;
            }

            throw buffer.IsEmpty
                ? new RpcException(StatusCode.Unimplemented, "The method takes one request, but none came.")
                : EndedInside(buffer.Length);
        }

        var frame = ParseHeader(buffer); // at once: a body above the limit is not waited for
        var beyond = buffer.Length - MessageFrame.HeaderBytes - frame.Length;
        if (beyond >= MessageFrame.HeaderBytes)
            throw new RpcException(StatusCode.Unimplemented, "The method takes one request, but more came.");
        if (!read.IsCompleted)
        {
            body.AdvanceTo(buffer.Start, buffer.End);
            return;
        }

        if (beyond != 0) throw EndedInside(beyond > 0 ? beyond : buffer.Length);
        request = Parse(buffer.Slice(MessageFrame.HeaderBytes), frame.Compressed, encoding);
        body.AdvanceTo(buffer.End);
    }

    public static RpcException EndedInside(long bytes) =>
        new(StatusCode.Internal, $"The request ended inside a message: {bytes} bytes are left over.");

    public TRequest Parse(ReadOnlySequence<byte> payload, bool compressed, string? encoding)
    {
        if (compressed) return ParseCompressed(payload, encoding);
        if (payload.IsSingleSegment) return Parse(payload.FirstSpan);
        var length = checked((int)payload.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(rented);
            return Parse(rented.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private TRequest ParseCompressed(ReadOnlySequence<byte> payload, string? encoding)
    {
        if (encoding is null or GrpcHeaders.Identity)
            throw new RpcException(StatusCode.Internal, "A message is marked as compressed, but the request names no grpc-encoding.");
        byte[] rented;
        int length;
        try
        {
            (rented, length) = GzipPayload.Decompress(payload, maxMessageBytes);
        }
        catch (MessageTooLargeException e) when (reportsSqlErrors)
        {
            throw new RequestException(ErrorCodes.RequestTooLarge, e.Message);
        }

        try
        {
            return Parse(rented.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private TRequest Parse(ReadOnlySpan<byte> payload)
    {
        if (_strings.FindInvalid(payload) is { } field)
        {
            var text = $"The field {field} is not valid UTF-8. Send text as UTF-8, and other bytes in a field for bytes.";
            throw reportsSqlErrors ? new RequestException(ErrorCodes.InvalidRequest, text) : new RpcException(StatusCode.InvalidArgument, text);
        }

        try
        {
            return parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            var text = $"The request is no {typeof(TRequest).Name}: {e.Message}";
            throw reportsSqlErrors ? new RequestException(ErrorCodes.InvalidRequest, text) : new RpcException(StatusCode.Internal, text, innerException: e);
        }
    }
}
