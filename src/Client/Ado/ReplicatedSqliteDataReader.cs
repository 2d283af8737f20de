using System.Collections;
using System.Collections.ObjectModel;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite;

/// <summary>Rows while they arrive: in memory are those of one message, some ten to a few hundred KiB. For one caller at a time.</summary>
/// <remarks>
/// A value's type is its own, not its column's; what cannot be read as asked is an <see cref="InvalidCastException"/> or <see cref="OverflowException"/>. With
/// <see cref="CommandBehavior.SequentialAccess"/> a row is read from left to right: going back is an <see cref="InvalidOperationException"/>.
/// </remarks>
public sealed partial class ReplicatedSqliteDataReader : DbDataReader, IDbColumnSchemaGenerator
{
    private readonly ResultSource _source;
    private readonly ReplicatedSqliteConnection _connection;
    private readonly ReaderOrigin _origin;
    private RowBlock? _block; // the rows at hand; _row is the current one, before the first -1
    private int _row = -1;
    private bool _isOnRow;
    private bool _isLimitReached; // SingleRow: the row was given
    private bool _isClosed;
    private readonly SequentialPosition? _sequence; // in the current row, with SequentialAccess

    internal ReplicatedSqliteDataReader(
        ReplicatedSqliteConnection connection, IAsyncEnumerable<StreamPart> parts, CommandRequest request, CommandCall call, ReaderOrigin origin)
    {
        _connection = connection;
        _origin = origin;
        if ((origin.Behavior & CommandBehavior.SequentialAccess) != 0) _sequence = new SequentialPosition();
        _source = new ResultSource(parts, request, call, origin.Batch) { IsInTransaction = connection.Transaction is not null };
        connection.Transaction?.Enter(this);
    }

    /// <inheritdoc/>
    public override int Depth => IsClosed ? throw Closed(nameof(Depth)) : 0;

    /// <inheritdoc/>
    public override int FieldCount => Columns(nameof(FieldCount)).Count;

    /// <inheritdoc/>
    public override bool HasRows => !IsClosed && _source.HasRows;

    /// <inheritdoc/>
    public override bool IsClosed => _isClosed;

    /// <summary>Rows that the statements up to here changed; -1 if they only read.</summary>
    public override int RecordsAffected => _source.Changes.Total;

    /// <inheritdoc/>
    public override object this[int ordinal] => GetValue(ordinal);

    /// <inheritdoc/>
    public override object this[string name] => GetValue(GetOrdinal(name));

    private bool IsSingleRow => (_origin.Behavior & CommandBehavior.SingleRow) != 0;

    /// <inheritdoc/>
    public override bool Read()
    {
        if (TryAdvance(out var more)) return more;
        return Blocking.Wait(ReadSlowAsync(CancellationToken.None));
    }

    /// <inheritdoc/>
    public override Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<bool>(cancellationToken);
        return TryAdvance(out var more) ? (more ? _true : _false) : ReadSlowAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override bool NextResult() => Blocking.Wait(NextResultAsync(CancellationToken.None));

    /// <inheritdoc/>
    public override async Task<bool> NextResultAsync(CancellationToken cancellationToken)
    {
        if (IsClosed) throw Closed(nameof(NextResult));
        cancellationToken.ThrowIfCancellationRequested();
        Forget();
        var more = !_isLimitReached && (_origin.Behavior & (CommandBehavior.SingleResult | CommandBehavior.SingleRow)) == 0
            ? await _source.NextResultAsync(cancellationToken).ConfigureAwait(false)
            : await _source.SkipResultsAsync(cancellationToken).ConfigureAwait(false);
        _block = _source.Block;
        TellCommand();
        return more;
    }

    /// <inheritdoc/>
    public override string GetName(int ordinal) => ResultHere(nameof(GetName))[Check(ordinal)].Name;

    /// <inheritdoc/>
    /// <exception cref="IndexOutOfRangeException">There is no such column.</exception>
    public override int GetOrdinal(string name)
    {
        var columns = ResultHere(nameof(GetOrdinal));
        ArgumentNullException.ThrowIfNull(name);
        return columns.TryIndexOf(name, out var index)
            ? index
            : throw NoColumn($"The result has no column '{name}'; it has {string.Join(", ", columns.Select(column => $"'{column.Name}'"))}.");
    }

    /// <summary>The declared type without its arguments (<c>VARCHAR</c> of <c>VARCHAR(20)</c>); without a declaration the value's own.</summary>
    public override string GetDataTypeName(int ordinal)
    {
        var declared = ResultHere(nameof(GetDataTypeName))[Check(ordinal)].DeclaredType;
        return declared.Length > 0 ? ColumnTypes.WithoutArguments(declared) : ColumnTypes.NameOf(KindHere(ordinal));
    }

    /// <summary>The .NET type of the current row's value; where it is NULL, or before the first row, what the declared type suggests.</summary>
    public override Type GetFieldType(int ordinal)
    {
        var declared = ResultHere(nameof(GetFieldType))[Check(ordinal)].DeclaredType;
        var kind = KindHere(ordinal);
        return kind == SqlKind.Null ? ColumnTypes.TypeOf(declared) : ColumnTypes.TypeOf(kind);
    }

    /// <inheritdoc/>
    public override DataTable GetSchemaTable()
    {
        ResultHere(nameof(GetSchemaTable));
        return SchemaTable.Create(GetColumnSchema());
    }

    /// <inheritdoc cref="DbDataReaderExtensions.GetColumnSchema(DbDataReader)"/>
    public ReadOnlyCollection<DbColumn> GetColumnSchema() =>
        new([.. Columns(nameof(GetColumnSchema)).Select((column, i) => (DbColumn)new ReplicatedSqliteColumn(column, i, GetFieldType(i), GetDataTypeName(i)))]);

    /// <inheritdoc/>
    public override Task<ReadOnlyCollection<DbColumn>> GetColumnSchemaAsync(CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled<ReadOnlyCollection<DbColumn>>(cancellationToken) : Task.FromResult(GetColumnSchema());

    /// <inheritdoc/>
    public override IEnumerator GetEnumerator() => new DbEnumerator(this, closeReader: (_origin.Behavior & CommandBehavior.CloseConnection) != 0);

    /// <summary>Ends the reader. A read that goes on is cancelled, here and on the server; of a write the rest of the answer is read, for the session's sake.</summary>
    public override void Close() => Blocking.Wait(CloseAsync());

    /// <inheritdoc cref="Close"/>
    public override async Task CloseAsync()
    {
        if (_isClosed) return;
        try
        {
            await _source.FinishAsync().ConfigureAwait(false);
        }
        finally
        {
            await AbandonAsync().ConfigureAwait(false);
        }

        if ((_origin.Behavior & CommandBehavior.CloseConnection) != 0) await _connection.CloseAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Close();
        base.Dispose(disposing);
    }

    /// <summary>Waits for the first result that has columns, or for the end.</summary>
    internal async Task BeginAsync(CancellationToken cancellationToken)
    {
        await _source.NextResultAsync(cancellationToken).ConfigureAwait(false);
        _block = _source.Block;
        TellCommand();
    }

    /// <summary>Takes what is still to come into memory, so that its transaction can take another step.</summary>
    internal Task BufferAsync() => _source.BufferAsync();

    internal void Abandon() => Blocking.Wait(AbandonAsync());

    /// <summary>Ends the call, whatever of it is still to come.</summary>
    internal async Task AbandonAsync()
    {
        if (_isClosed) return;
        _isClosed = true;
        Forget();
        _connection.Remove(this);
        _connection.Transaction?.Leave(this);
        if (_origin.Command is { } command && command.Reader == this) command.Reader = null;
        await _source.DisposeAsync().ConfigureAwait(false);
        TellCommand();
    }

    private static readonly Task<bool> _true = Task.FromResult(true);
    private static readonly Task<bool> _false = Task.FromResult(false);

    // The usual step: the next row is at hand.
    private bool TryAdvance(out bool more)
    {
        if (IsClosed) throw Closed(nameof(Read));
        more = false;
        if (_isLimitReached)
        {
            _isOnRow = false;
            return true;
        }

        if (_block is null || _row + 1 >= _block.RowCount) return false;
        _row++;
        _sequence?.NextRow();
        _isOnRow = more = true;
        _isLimitReached = IsSingleRow;
        return true;
    }

    private async Task<bool> ReadSlowAsync(CancellationToken cancellationToken)
    {
        Forget();
        if (!await _source.NextRowsAsync(cancellationToken).ConfigureAwait(false))
        {
            TellCommand();
            return false;
        }

        _block = _source.Block;
        _row = 0;
        _isOnRow = true;
        _isLimitReached = IsSingleRow;
        return true;
    }

    private void Forget()
    {
        _sequence?.NextRow();
        _block = null;
        _row = -1;
        _isOnRow = false;
    }

    private void TellCommand()
    {
        if (_origin.Command is { } command) command.LastInsertRowId = _source.Changes.LastRowId;
    }

    private ResultColumns Columns(string what) => IsClosed ? throw Closed(what) : _source.Columns;

    // Of a statement that returns any.
    private ResultColumns ResultHere(string what)
    {
        var columns = Columns(what);
        return columns.Count > 0 ? columns : throw new InvalidOperationException($"{what}: there is no result with columns here.");
    }

    private InvalidOperationException NoRow(string what) =>
        IsClosed ? Closed(what) : new InvalidOperationException($"{what}: there is no current row. Call Read first, and while it gives true.");

    // Of the current row; before the first, of the first.
    private SqlKind KindHere(int ordinal) => _block is { RowCount: > 0 } block ? block[ordinal].Kind(Math.Max(_row, 0)) : SqlKind.Null;

    private int Check(int ordinal)
    {
        var count = _source.Columns.Count;
        return (uint)ordinal < (uint)count
            ? ordinal
            : throw NoColumn($"Column {ordinal} was asked for; the result has columns 0 to {count - 1}.");
    }

    [SuppressMessage("Usage", "CA2201", Justification = "What ADO.NET documents for a column that is not there.")]
    private static IndexOutOfRangeException NoColumn(string message) => new(message);

    private static InvalidOperationException Closed(string what) => new($"{what}: the reader is closed.");
}
