using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Rows that arrived together.</summary>
internal sealed class RowBlock
{
    private readonly ColumnVector[] _vectors;

    private RowBlock(ResultColumns columns, int rowCount, ColumnVector[] vectors)
    {
        Columns = columns;
        RowCount = rowCount;
        _vectors = vectors;
    }

    public ResultColumns Columns { get; }

    public int RowCount { get; }

    public ColumnVector this[int column] => _vectors[column];

    /// <summary>Checks a batch against its columns before anything is read from it.</summary>
    public static RowBlock Create(ResultColumns columns, RowBatch? batch, bool mayHaveWritten)
    {
        if (batch is null) return new RowBlock(columns, 0, []);
        var rows = checked((int)batch.RowCount);
        if (batch.Columns.Count != columns.Count && rows > 0)
            throw DamagedAnswer.Create($"a batch has {batch.Columns.Count} columns, its result {columns.Count}", mayHaveWritten);
        if (rows == 0) return new RowBlock(columns, 0, []);
        var vectors = new ColumnVector[columns.Count];
        for (var i = 0; i < vectors.Length; i++)
        {
            if (ColumnVector.TryCreate(batch.Columns[i], rows, out vectors[i]) is { } fault)
                throw DamagedAnswer.Create($"column '{columns[i].Name}' of a batch has {fault}", mayHaveWritten);
        }

        return new RowBlock(columns, rows, vectors);
    }
}
