using System.Collections;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>The columns of a result, by number and by name.</summary>
public sealed class ResultColumns : IReadOnlyList<ResultColumn>
{
    private readonly ResultColumn[] _columns;
    private Dictionary<string, int>? _numbers; // made by the first search; several threads may make the same one

    internal ResultColumns(IEnumerable<ColumnInfo> infos) => _columns = [.. infos.Select(ResultColumn.From)];

    /// <summary>No columns: the statement returns nothing.</summary>
    public static ResultColumns None { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _columns.Length;

    /// <inheritdoc/>
    public ResultColumn this[int index] => _columns[index];

    /// <summary>The number of the first column of that name; without one, the first that differs in case only.</summary>
    /// <exception cref="ArgumentException">There is no such column.</exception>
    public int IndexOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return TryIndexOf(name, out var index) ? index : throw new ArgumentException($"The result has no column '{name}'; it has {string.Join(", ", _columns.Select(c => c.Name))}.", nameof(name));
    }

    internal bool TryIndexOf(string name, out int index)
    {
        var numbers = _numbers ??= Number();
        if (numbers.TryGetValue(name, out index)) return true;
        index = Array.FindIndex(_columns, column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return index >= 0;
    }

    /// <inheritdoc/>
    public IEnumerator<ResultColumn> GetEnumerator() => ((IEnumerable<ResultColumn>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Dictionary<string, int> Number()
    {
        var numbers = new Dictionary<string, int>(_columns.Length, StringComparer.Ordinal);
        for (var i = 0; i < _columns.Length; i++) numbers.TryAdd(_columns[i].Name, i);
        return numbers;
    }
}
