using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Binds and runs the statements of one request, one after the other.</summary>
internal sealed class StatementRunner(QueryConnection connection)
{
    private const int MetaBytes = 64; // of one result, at most
    private const long FullBatchBytes = 128 * 1024; // messages of a stream aim at 64 to 256 KiB
    private const long MaxBatchBytes = 256 * 1024;

    private const string VacuumText =
        "VACUUM must be the only statement of its request: it cannot run in a batch, a script of several statements or a transaction. Send it alone.";

    private readonly ParameterBinder _binder = new();
    private readonly StatementRun _run = new(connection);
    private readonly RowBatchBuilder _rows = new();
    private readonly EncodedRowsBuilder _encoded = new();
    private PreparedSql? _current;

    /// <summary>What the text of a VACUUM among others is refused with.</summary>
    public static string VacuumRefusal => VacuumText;

    /// <summary>Bytes that the results may still take.</summary>
    public long BytesLeft { get; private set; }

    /// <summary>The bytes that they could take at first.</summary>
    public int MaxBytes { get; private set; }

    /// <summary>A row is left of the running statement.</summary>
    public bool HasRow => _run.HasRow;

    /// <summary>A request begins.</summary>
    public void Begin(int maxBytes)
    {
        MaxBytes = maxBytes;
        BytesLeft = maxBytes;
    }

    /// <summary>The values of the next statement, or of a whole script.</summary>
    public void UseValues(Statement values, bool script) => _binder.Start(values, script);

    /// <summary>A script has ended.</summary>
    public void FinishValues(int statementIndex) => _binder.Finish(statementIndex);

    /// <summary>Binds a statement and runs it to its first row or its end.</summary>
    public void Start(PreparedSql statement, int index, bool alone = false)
    {
        if ((statement.Traits & StatementTraits.Vacuum) != 0 && !alone)
        {
            throw SqlErrors.Invalid(VacuumText, index, statement.Offset);
        }

        statement.IsDirty = true;
        _current = statement;
        _binder.Bind(connection, statement, index);
        _run.Start(statement, index, alone ? SqlAuthority.Vacuum : SqlAuthority.User);
        _rows.Start(_run.Columns.Length);
        _encoded.Start(_run.Columns.Length);
    }

    /// <summary>The header of the running statement.</summary>
    public ResultPart Header(int index)
    {
        var header = new ResultHeader();
        header.Columns.Add(_run.Columns);
        return new ResultPart { StatementIndex = (uint)index, Header = header };
    }

    /// <summary>The next batch of rows.</summary>
    public ResultPart Rows(int index, uint batchRows)
    {
        _run.Fill(_rows, batchRows == 0 ? long.MaxValue : batchRows, FullBatchBytes, MaxBatchBytes);
        return new ResultPart { StatementIndex = (uint)index, Rows = _rows.Take() };
    }

    /// <summary>The same, encoded.</summary>
    public EncodedPart EncodedRows(int index, uint batchRows)
    {
        _run.Fill(_encoded, batchRows == 0 ? long.MaxValue : batchRows, FullBatchBytes, MaxBatchBytes);
        return new EncodedPart { StatementIndex = (uint)index, Rows = _encoded.Take() };
    }

    /// <summary>The end of the running statement, which has no row left.</summary>
    public Meta Finish()
    {
        var meta = _run.Finish();
        _current?.Reset();
        _current = null;
        return meta;
    }

    /// <summary>Runs a statement to its end, all its rows in one batch.</summary>
    /// <exception cref="Protocol.RequestException">RESULT_TOO_LARGE among others.</exception>
    public Result RunToResult(PreparedSql statement, int index, bool alone = false)
    {
        Start(statement, index, alone);
        var result = new Result();
        if (_run.Columns.Length > 0)
        {
            result.Columns.Add(_run.Columns);
            Take(statement.ColumnsBytes, index);
            _run.Fill(_rows, long.MaxValue, BytesLeft + 1, long.MaxValue);
            Take(_rows.Bytes, index);
            result.Rows = _rows.Take();
        }

        Take(MetaBytes, index);
        result.Meta = Finish();
        return result;
    }

    /// <summary>Runs a statement to its end, its rows in batches for a stream.</summary>
    /// <returns>Its meta, which is in the last part.</returns>
    public Meta RunToParts(PreparedSql statement, int index, uint batchRows, List<ResultPart> parts)
    {
        Start(statement, index);
        parts.Add(Header(index));
        Take(statement.ColumnsBytes + MetaBytes, index);
        while (_run.HasRow)
        {
            var rows = Rows(index, batchRows);
            Take(rows.CalculateSize(), index);
            parts.Add(rows);
        }

        var meta = Finish();
        parts.Add(new ResultPart { StatementIndex = (uint)index, End = meta });
        return meta;
    }

    /// <summary>A statement has failed: it is let go, with the rows that it gave.</summary>
    public void Abandon()
    {
        _rows.Clear();
        _encoded.Clear();
        _current?.Reset();
        _current = null;
    }

    private void Take(long bytes, int index)
    {
        BytesLeft -= bytes;
        if (BytesLeft < 0)
        {
            throw SqlErrors.TooLarge(MaxBytes, index);
        }
    }
}
