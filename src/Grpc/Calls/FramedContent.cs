using System.Net;

namespace ReplicatedSqlite.Grpc;

/// <summary>A body of one framed request, which remembers whether the handler ever took it: until then no server can have it.</summary>
/// <remarks>An array makes the handler send head and body at one go.</remarks>
internal sealed class FramedContent(ArraySegment<byte> frame) : ByteArrayContent(frame.Array!, frame.Offset, frame.Count)
{
    private volatile bool _wasTaken;

    public bool WasTaken => _wasTaken;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _wasTaken = true;
        return base.SerializeToStreamAsync(stream, context, cancellationToken);
    }
}
