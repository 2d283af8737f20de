using System.Collections;

namespace ReplicatedSqlite;

/// <summary>The rows of one result, or of one message of a stream.</summary>
public sealed class Rows : IReadOnlyList<Row>
{
    private readonly RowBlock _block;

    internal Rows(RowBlock block) => _block = block;

    internal RowBlock Block => _block;

    /// <inheritdoc/>
    public int Count => _block.RowCount;

    /// <inheritdoc/>
    public Row this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_block.RowCount, nameof(index));
            return new Row(_block, index);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<Row> GetEnumerator()
    {
        for (var i = 0; i < _block.RowCount; i++) yield return new Row(_block, i);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
