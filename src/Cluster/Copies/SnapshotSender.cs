using System.Buffers;
using Google.Protobuf;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>Streams a database's pages in order. Holds a snapshot, but no thread, while the receiver is slow.</summary>
/// <param name="snapshot">Belongs to the sender from here on.</param>
/// <param name="position">Where it stands in the log.</param>
/// <param name="commitTimeMicroseconds">Of the last entry that it shows.</param>
/// <param name="workers">Where the file is read.</param>
/// <param name="time">Clock.</param>
public sealed class SnapshotSender(SnapshotReader snapshot, Position position, long commitTimeMicroseconds, BlockingWorkers workers, TimeProvider time) : IAsyncDisposable
{
    private const int PartBytes = 256 * 1024;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30); // for one part

    private uint _checksum = uint.MaxValue; // a CRC-32C under way
    private bool _hasNext;

    /// <summary>Sends all of it, by whatever writes a part.</summary>
    /// <exception cref="TimeoutException">The receiver took nothing for too long.</exception>
    public async Task SendAsync(Func<SubscribeResponse.Types.SnapshotPart, CancellationToken, ValueTask> write, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(write);
        await write(
            new SubscribeResponse.Types.SnapshotPart
            {
                Position = position.ToMessage(), PageSize = (uint)snapshot.PageSizeBytes, PageCount = snapshot.PageCount, CommitTimeUs = commitTimeMicroseconds,
            },
            cancellationToken);
        _hasNext = await workers.RunAsync(snapshot.MoveNext);
        while (_hasNext)
        {
            // The snapshot keeps the WAL from being restarted: a replica that takes nothing loses it, and comes again.
            var part = await workers.RunAsync(ReadPart);
            await write(part, cancellationToken).AsTask().WaitAsync(_patience, time, cancellationToken);
        }

        await write(new SubscribeResponse.Types.SnapshotPart { Last = true, Crc32C = ~_checksum }, cancellationToken);
    }

    /// <summary>Closes the snapshot.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await workers.RunAsync(snapshot.Dispose);
        }
        catch (Exception e) when (e is RequestException or ObjectDisposedException)
        {
            snapshot.Dispose(); // the workers have too much to do, or are gone: one that stays open would keep the WAL from ever being restarted
        }
    }

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
}
