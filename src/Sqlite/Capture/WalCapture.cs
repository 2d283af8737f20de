namespace ReplicatedSqlite.Sqlite;

/// <summary>Reads back from the WAL what a commit on the writer connection wrote.</summary>
/// <remarks>
/// Used by the writer's owner, in its turn, right after a COMMIT: then nobody moves the WAL-index's header, and it tells last frame, salts and size at
/// the cost of reading memory. New salts say that SQLite restarted the WAL; a frame count alone would be ambiguous. The number of commits is
/// checked against the header's counter, so that none is ever missed in silence.
/// </remarks>
public sealed class WalCapture : IDisposable
{
    private const int BatchSizeBytes = 1 << 20;

    private readonly string _walPath;
    private readonly WalIndex _index;
    private readonly WalFile _wal;
    private readonly int _pageSizeBytes;
    private WalIndexHeader _captured;
    private WalIndexHeader _before;

    /// <summary>Starts behind what is committed now: the first capture holds what comes after.</summary>
    /// <param name="writer">The one connection that writes; it stays open longer than the capture.</param>
    /// <exception cref="SqliteException">SQLite could not read the database.</exception>
    public WalCapture(SqliteConnection writer)
    {
        _index = new WalIndex(SqliteFileObject.Of(writer));
        _pageSizeBytes = (int)writer.QueryInteger("PRAGMA page_size");
        _walPath = WalFile.PathOf(writer.Path);
        _wal = new WalFile(_walPath, FileAccess.Read);
        _captured = ReadHeader();
    }

    /// <summary>The length of the WAL's live part.</summary>
    public long WalSizeBytes => WalLayout.WalSizeBytes(_captured.LastFrame, _pageSizeBytes);

    /// <summary>Bytes of a page.</summary>
    public int PageSizeBytes => _pageSizeBytes;

    /// <summary>What was visible after the last capture: the state that it made.</summary>
    public WalIndexHeader Visible => _captured;

    /// <summary>What was visible before the last capture, as the WAL of now knows it: after a restart of the WAL the main file alone.</summary>
    public WalIndexHeader VisibleBefore => _before;

    /// <summary>Takes the final image of each page that was committed since the last capture.</summary>
    /// <returns><see langword="false"/>: nothing was committed, and the set is empty.</returns>
    /// <exception cref="InvalidDataException">WAL and WAL-index do not fit together, or a commit was overwritten before it was captured.</exception>
    public bool Capture(PageSet into)
    {
        into.Clear();
        var header = ReadHeader();
        var commits = header.Change - _captured.Change;
        var restarted = header.Salts != _captured.Salts;
        if (commits == 0)
        {
            _captured = header; // a restart without a commit moves the header too
            return false;
        }

        _before = restarted ? _captured with { LastFrame = 0, Salts = header.Salts } : _captured;

        var first = restarted ? 1 : _captured.LastFrame + 1;
        into.Begin(_pageSizeBytes, header.DatabaseSizePages);
        var found = ReadFrames(first, header, into);
        if (found < commits)
        {
            into.Clear();
            throw new InvalidDataException(
                $"'{_walPath}' holds {found} of the {commits} transactions committed since the last capture. A checkpoint ran between a commit and its " +
                "capture; both must be turns of one owner. Rebuild the copies from a snapshot.");
        }

        _captured = header;
        return true;
    }

    /// <summary>Closes the handle on the WAL. The connection stays open.</summary>
    public void Dispose() => _wal.Dispose();

    private WalIndexHeader ReadHeader() => _index.TryReadHeader(out var header)
        ? header
        : throw new InvalidDataException($"The WAL-index of '{_walPath}' is half written, though nobody but its owner may write it.");

    private uint ReadFrames(uint first, in WalIndexHeader header, PageSet into)
    {
        if (header.LastFrame == 0)
        {
            return 0; // restarted, and nothing came since
        }

        var frameSizeBytes = WalLayout.FrameSizeBytes(_pageSizeBytes);
        var framesPerBatch = (uint)Math.Max(1, BatchSizeBytes / frameSizeBytes);
        var commits = 0u;
        var last = default(WalFrameHeader);
        for (var next = first; next <= header.LastFrame;)
        {
            var count = Math.Min(framesPerBatch, header.LastFrame - next + 1);
            var bytes = into.Reserve((int)count * frameSizeBytes, out var chunk, out var offset);
            _wal.Read(bytes, WalLayout.FrameOffset(next, _pageSizeBytes));
            for (var i = 0; i < (int)count; i++)
            {
                if (!WalFrameHeader.TryRead(bytes[(i * frameSizeBytes)..], out last) || last.Salts != header.Salts)
                {
                    throw Unfit(next + (uint)i, $"page {last.PageNumber}, salts {last.Salts:x16}", $"a page from 1 on, salts {header.Salts:x16}");
                }

                commits += last.IsCommit ? 1u : 0;
                into.AddAt(last.PageNumber, chunk, offset + (i * frameSizeBytes) + WalFrameHeader.SizeBytes);
            }

            next += count;
        }

        // The last frame's checksum covers all the others, and the WAL-index repeats it: a cheap proof that these are the committed bytes' headers.
        return last.IsCommit && last.DatabaseSizePages == header.DatabaseSizePages && last.Checksum == header.FrameChecksum
            ? commits
            : throw Unfit(header.LastFrame, $"size {last.DatabaseSizePages}, {last.Checksum}", $"size {header.DatabaseSizePages}, {header.FrameChecksum}");
    }

    private InvalidDataException Unfit(uint frame, string found, string wanted) => new(
        $"Frame {frame} of '{_walPath}', at byte {WalLayout.FrameOffset(frame, _pageSizeBytes)}, does not fit the WAL-index: found {found}; expected {wanted}. " +
        "Something else wrote to the database; rebuild this copy.");
}
