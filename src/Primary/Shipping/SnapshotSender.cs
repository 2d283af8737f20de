using System.Buffers;
using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Streams a database's pages in order. Holds a snapshot, but no thread, while the receiver is slow.</summary>
internal sealed class SnapshotSender(SnapshotReader snapshot, Position position, long commitTimeMicroseconds, BlockingWorkers workers, TimeProvider time) : IAsyncDisposable
{
    private const int PartBytes = 256 * 1024;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30); // for one part

    private uint _checksum = uint.MaxValue; // a CRC-32C under way
    private bool _hasNext;

    public async Task SendAsync(IResponseWriter<SubscribeResponse> responses, CancellationToken cancellationToken)
    {
        await responses.WriteAsync(Message(new SubscribeResponse.Types.SnapshotPart
        {
            Position = position.ToMessage(), PageSize = (uint)snapshot.PageSizeBytes, PageCount = snapshot.PageCount, CommitTimeUs = commitTimeMicroseconds,
        }), cancellationToken);
        _hasNext = await workers.RunAsync(snapshot.MoveNext);
        while (_hasNext)
        {
            // The snapshot keeps the WAL from being restarted: a replica that takes nothing loses it, and comes again.
            var part = Message(await workers.RunAsync(ReadPart));
            await responses.WriteAsync(part, cancellationToken).AsTask().WaitAsync(_patience, time, cancellationToken);
        }

        await responses.WriteAsync(Message(new SubscribeResponse.Types.SnapshotPart { Last = true, Crc32C = ~_checksum }), cancellationToken);
    }

    public async ValueTask DisposeAsync() => await workers.RunAsync(snapshot.Dispose);

    // Consecutive pages only: a part ends before the lock page, which is left out.
    private SubscribeResponse.Types.SnapshotPart ReadPart()
    {
        var first = snapshot.PageNumber;
        var pages = new ArrayBufferWriter<byte>(PartBytes);
        do
        {
            pages.Write(snapshot.Image);
            _hasNext = snapshot.MoveNext();
        }
        while (_hasNext && pages.WrittenCount < PartBytes && snapshot.PageNumber == first + (uint)(pages.WrittenCount / snapshot.PageSizeBytes));
        _checksum = Crc32C.Append(_checksum, pages.WrittenSpan);
        return new SubscribeResponse.Types.SnapshotPart { FirstPage = first, Pages = UnsafeByteOperations.UnsafeWrap(pages.WrittenMemory) };
    }

    private static SubscribeResponse Message(SubscribeResponse.Types.SnapshotPart part) => new() { Snapshot = part };
}
