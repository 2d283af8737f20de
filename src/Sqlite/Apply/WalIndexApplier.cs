namespace ReplicatedSqlite.Sqlite;

/// <summary>Applies transactions by writing frames and WAL-index as SQLite's own writer does: no reader ever waits for it, and it waits for none.</summary>
/// <remarks>
/// Frames go to the WAL at once, beyond the last visible frame, but for the 24-byte header of each commit frame, which stays zero: whoever opens a copy of
/// the files finds the log's end there. Confirming writes these headers and moves the WAL-index's header. <c>WAL_WRITE_LOCK</c> is held from
/// the first hidden frame until none is left, so that nobody writes between; when it is taken again the WAL may have been restarted, but not written.
/// </remarks>
public sealed class WalIndexApplier : IPageApplier
{
    private readonly string _path;
    private readonly SqliteFileObject _file;
    private readonly WalIndex _index;
    private readonly WalFile _wal;
    private readonly FrameBuffer _buffer;
    private readonly int _pageSizeBytes;
    private readonly List<HiddenTransaction> _hidden = [];
    private WalIndexHeader _visible; // what readers see; while the lock is held nobody else changes it
    private HiddenTransaction _tail; // the end of the last hidden transaction, or of what is visible
    private long _confirmed; // ordinals up to here are visible
    private uint _checkpointSequence;
    private uint _openSizePages; // of the open transaction; 0 when none is open
    private bool _locked;

    private WalIndexApplier(SqliteConnection connection)
    {
        _path = connection.Path;
        _file = SqliteFileObject.Of(connection);
        _index = new WalIndex(_file);
        _pageSizeBytes = (int)connection.QueryInteger("PRAGMA page_size");
        _wal = new WalFile(WalFile.PathOf(_path), FileAccess.ReadWrite);
        _buffer = new FrameBuffer(_wal, _index, _pageSizeBytes);
        _checkpointSequence = _wal.TryReadHeader(out var header) ? header.CheckpointSequence : 0;
        _visible = ReadHeader();
        _tail = new(_visible.LastFrame, _visible.DatabaseSizePages, _visible.FrameChecksum, default);
    }

    /// <inheritdoc/>
    public long HiddenTransactions => _hidden.Count;

    /// <inheritdoc/>
    public long WalSizeBytes => WalLayout.WalSizeBytes(_openSizePages != 0 ? _buffer.LastFrame : _tail.LastFrame, _pageSizeBytes);

    /// <summary>Starts behind what the file holds.</summary>
    /// <param name="connection">A connection used for nothing else but the WAL's checkpoint and restart; it stays open longer than the applier.</param>
    /// <exception cref="SqliteException">SQLite could not read the database.</exception>
    public static WalIndexApplier Open(SqliteConnection connection) => new(connection);

    /// <inheritdoc/>
    public void BeginTransaction(uint databaseSizePages)
    {
        if (_openSizePages != 0)
        {
            throw new InvalidOperationException("A transaction is open already: end or abort it first.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(databaseSizePages);
        Lock();
        _buffer.Begin(_tail.LastFrame, _tail.Checksum);
        _openSizePages = databaseSizePages;
    }

    /// <inheritdoc/>
    public void ReadPage(uint pageNumber, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, _pageSizeBytes);
        Lock(); // without it the WAL may have been restarted since it was looked at last
        try
        {
            // An empty WAL tells no size: then the main file is all there is.
            if (pageNumber == 0 || (_tail.LastFrame > 0 && pageNumber > _tail.DatabaseSizePages))
            {
                target.Clear();
            }
            else if (_index.FindFrame(pageNumber, _tail.LastFrame) is var frame and > 0)
            {
                _wal.Read(target, WalLayout.FrameOffset(frame, _pageSizeBytes) + WalFrameHeader.SizeBytes);
            }
            else
            {
                _file.Read(target, (long)(pageNumber - 1) * _pageSizeBytes);
            }
        }
        finally
        {
            UnlockWhenIdle();
        }
    }

    /// <inheritdoc/>
    public void WritePage(uint pageNumber, ReadOnlySpan<byte> image)
    {
        ThrowUnlessOpen();
        if (image.Length != _pageSizeBytes)
        {
            throw new ArgumentException($"Page {pageNumber} has {image.Length} bytes, but the pages of '{_path}' have {_pageSizeBytes}.", nameof(image));
        }

        if (pageNumber == 0 || pageNumber > _openSizePages || pageNumber == WalLayout.LockPage(_pageSizeBytes))
        {
            throw new ArgumentOutOfRangeException(
                nameof(pageNumber), pageNumber, $"A transaction that leaves {_openSizePages} pages cannot hold this page; it is beyond the end, 0, or the lock page.");
        }

        _buffer.Add(pageNumber, image);
    }

    /// <inheritdoc/>
    public long EndTransaction()
    {
        ThrowUnlessOpen();
        var commit = _buffer.End(_openSizePages);
        var sizePages = commit.PageNumber != 0 ? _openSizePages : _tail.DatabaseSizePages; // without a page nothing has changed
        _tail = new(_buffer.LastFrame, sizePages, _buffer.Checksum, commit);
        _hidden.Add(_tail);
        _openSizePages = 0;
        return _confirmed + _hidden.Count;
    }

    /// <inheritdoc/>
    public void AbortTransaction()
    {
        if (_openSizePages != 0)
        {
            _openSizePages = 0;
            _index.Forget(_tail.LastFrame);
            UnlockWhenIdle();
        }
    }

    /// <inheritdoc/>
    public void Confirm(long ordinal)
    {
        var count = ordinal - _confirmed;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _hidden.Count, nameof(ordinal));
        if (count <= 0)
        {
            return;
        }

        var last = _hidden[(int)count - 1];
        if (last.LastFrame != _visible.LastFrame)
        {
            for (var i = 0; i < (int)count; i++)
            {
                WriteCommitHeader(_hidden[i]); // in order: a copy of the files taken meanwhile holds a prefix
            }

            // SQLite's page size and byte order stand in the header only from the first frame on, so all fields are written each time.
            var header = _visible with
            {
                Change = _visible.Change + 1,
                PageSizeBytes = _pageSizeBytes,
                LastFrame = last.LastFrame,
                DatabaseSizePages = last.DatabaseSizePages,
                FrameChecksum = last.Checksum,
            };
            _index.Publish(header);
            _visible = header;
        }

        _hidden.RemoveRange(0, (int)count);
        _confirmed = ordinal;
        UnlockWhenIdle();
    }

    /// <inheritdoc/>
    public void DiscardAfter(long ordinal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ordinal, _confirmed); // what is visible cannot be taken back
        AbortTransaction();
        var keep = ordinal - _confirmed;
        if (keep >= _hidden.Count)
        {
            return;
        }

        _hidden.RemoveRange((int)keep, _hidden.Count - (int)keep);
        _tail = keep == 0 ? new(_visible.LastFrame, _visible.DatabaseSizePages, _visible.FrameChecksum, default) : _hidden[^1];
        _index.Forget(_tail.LastFrame);
        UnlockWhenIdle();
    }

    /// <summary>Discards what is hidden and gives the lock back. The connection stays open.</summary>
    public void Dispose()
    {
        DiscardAfter(_confirmed);
        _wal.Dispose();
    }

    private void WriteCommitHeader(in HiddenTransaction transaction)
    {
        if (transaction.CommitHeader.PageNumber != 0)
        {
            Span<byte> bytes = stackalloc byte[WalFrameHeader.SizeBytes];
            transaction.CommitHeader.Write(bytes);
            _wal.Write(bytes, WalLayout.FrameOffset(transaction.LastFrame, _pageSizeBytes));
        }
    }

    private void Lock()
    {
        if (_locked)
        {
            return;
        }

        _file.LockForWriting();
        _locked = true;
        try
        {
            Adopt(ReadHeader());
        }
        catch
        {
            Unlock();
            throw;
        }
    }

    // Between two turns only a restart of the WAL may have moved the header.
    private void Adopt(WalIndexHeader header)
    {
        if (header.Change != _visible.Change)
        {
            throw new InvalidDataException(
                $"'{_path}' was written by somebody else: its change counter is {header.Change}, expected {_visible.Change}. " +
                "A replica's file is for reading only; rebuild it from a snapshot.");
        }

        if (header.Salts != _visible.Salts)
        {
            _checkpointSequence++;
        }

        if (header.LastFrame == 0)
        {
            var salts = header.Salts != 0 ? header.Salts : RandomSalts(); // no salts: this WAL-index has never seen a WAL
            var wal = WalHeader.Create(_pageSizeBytes, _checkpointSequence, salts);
            _buffer.StartWal(wal);
            header = header with { Salts = salts, BigEndianChecksums = wal.BigEndianChecksums, FrameChecksum = wal.Checksum };
        }
        else
        {
            _buffer.ContinueWal(header.Salts, header.BigEndianChecksums);
        }

        _visible = header;
        _tail = new(header.LastFrame, header.DatabaseSizePages, header.FrameChecksum, default);
    }

    private void UnlockWhenIdle()
    {
        if (_locked && _hidden.Count == 0 && _openSizePages == 0)
        {
            Unlock();
        }
    }

    private void Unlock()
    {
        _locked = false;
        _file.UnlockForWriting();
    }

    private WalIndexHeader ReadHeader() => _index.TryReadHeader(out var header)
        ? header
        : throw new InvalidDataException($"The WAL-index of '{_path}' is half written, though nobody but the applier may write it.");

    private void ThrowUnlessOpen()
    {
        if (_openSizePages == 0)
        {
            throw new InvalidOperationException("No transaction is open: begin one first.");
        }
    }

    private static ulong RandomSalts()
    {
        NativeMethods.sqlite3_randomness(sizeof(ulong), out var salts);
        return salts;
    }
}
