namespace ReplicatedSqlite.Sqlite;

/// <summary>Applies transactions by writing their pages into the main file while nobody reads: the oracle for <see cref="WalIndexApplier"/>.</summary>
/// <remarks>
/// It needs nothing of the WAL's format, nor SQLite itself; hidden transactions are copied to memory. No connection may be open on the file when it confirms. (Writing
/// <c>sqlite_dbpage</c> instead would not do: SQLite's commit sets the change counter anew, and with <c>auto_vacuum</c> moves pages.)
/// </remarks>
public sealed class SlowApplier : IPageApplier
{
    private readonly string _path;
    private readonly int _pageSizeBytes;
    private readonly List<Transaction> _hidden = [];
    private Transaction? _open;
    private long _confirmed;

    private SlowApplier(string path, int pageSizeBytes) => (_path, _pageSizeBytes) = (path, pageSizeBytes);

    /// <inheritdoc/>
    public long HiddenTransactions => _hidden.Count;

    /// <inheritdoc/>
    public long WalSizeBytes => 0;

    /// <summary>Starts behind what the main file holds; its WAL holds nothing that is not backfilled.</summary>
    public static SlowApplier Open(string path, int pageSizeBytes) => new(path, pageSizeBytes);

    /// <inheritdoc/>
    public void BeginTransaction(uint databaseSizePages)
    {
        if (_open is not null)
        {
            throw new InvalidOperationException("A transaction is open already: end or abort it first.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(databaseSizePages);
        _open = new(databaseSizePages, []);
    }

    /// <inheritdoc/>
    public void ReadPage(uint pageNumber, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, _pageSizeBytes);
        target.Clear();
        for (var i = _hidden.Count - 1; i >= 0; i--)
        {
            if (pageNumber > _hidden[i].DatabaseSizePages)
            {
                return;
            }

            if (_hidden[i].Pages.TryGetValue(pageNumber, out var image))
            {
                image.CopyTo(target);
                return;
            }
        }

        using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Read);
        _ = RandomAccess.Read(file, target, (long)(pageNumber - 1) * _pageSizeBytes); // a whole page, or beyond the end
    }

    /// <inheritdoc/>
    public void WritePage(uint pageNumber, ReadOnlySpan<byte> image)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(image.Length, _pageSizeBytes);
        Open().Pages[pageNumber] = image.ToArray();
    }

    /// <inheritdoc/>
    public long EndTransaction()
    {
        _hidden.Add(Open());
        _open = null;
        return _confirmed + _hidden.Count;
    }

    /// <inheritdoc/>
    public void AbortTransaction() => _open = null;

    /// <inheritdoc/>
    public void Confirm(long ordinal)
    {
        var count = ordinal - _confirmed;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _hidden.Count, nameof(ordinal));
        if (count <= 0)
        {
            return;
        }

        // The last image of each page is what counts, at the size of the last transaction that changed any.
        var pages = new SortedDictionary<uint, byte[]>();
        var sizePages = 0u;
        foreach (var transaction in _hidden.Take((int)count).Where(static transaction => transaction.Pages.Count > 0))
        {
            sizePages = transaction.DatabaseSizePages;
            foreach (var (number, image) in transaction.Pages)
            {
                pages[number] = image;
            }
        }

        Write(pages, sizePages);
        _hidden.RemoveRange(0, (int)count);
        _confirmed = ordinal;
    }

    /// <inheritdoc/>
    public void DiscardAfter(long ordinal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ordinal, _confirmed);
        _open = null;
        var keep = ordinal - _confirmed;
        if (keep < _hidden.Count)
        {
            _hidden.RemoveRange((int)keep, _hidden.Count - (int)keep);
        }
    }

    /// <summary>Forgets what is hidden.</summary>
    public void Dispose() => DiscardAfter(_confirmed);

    private Transaction Open() => _open ?? throw new InvalidOperationException("No transaction is open: begin one first.");

    private void Write(SortedDictionary<uint, byte[]> pages, uint sizePages)
    {
        if (pages.Count == 0)
        {
            return;
        }

        LocalFile.DiscardWal(_path); // throws while a connection is open
        using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Write);
        foreach (var (number, image) in pages.Where(page => page.Key <= sizePages))
        {
            RandomAccess.Write(file, image, (long)(number - 1) * _pageSizeBytes);
        }

        RandomAccess.SetLength(file, (long)sizePages * _pageSizeBytes);
    }

    private sealed record Transaction(uint DatabaseSizePages, Dictionary<uint, byte[]> Pages);
}
