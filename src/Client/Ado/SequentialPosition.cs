using System.Data;

namespace ReplicatedSqlite;

/// <summary>How far a row was read with <see cref="CommandBehavior.SequentialAccess"/>: columns in order, and within one its bytes or characters in order.</summary>
/// <remarks>The column that was read last may be asked for again as a whole (<c>IsDBNull</c> and then its value), until a part of it was taken or it was given as a stream.</remarks>
internal sealed class SequentialPosition
{
    private int _column;
    private long _offset; // of what was not taken yet
    private IDisposable? _open; // the column's stream or text reader

    public void NextRow() => Begin(0);

    /// <summary>A column is asked for.</summary>
    /// <exception cref="InvalidOperationException">The reader is past it.</exception>
    public void GoTo(int column, string what)
    {
        if (column > _column) Begin(column);
        else if (column < _column) throw new InvalidOperationException($"{what}: column {column} was asked for after column {_column}. {Rule}");
        else if (_open is not null) throw new InvalidOperationException($"{what}: column {column} was given as a stream already. {Rule}");
        else if (_offset > 0 && what is not (nameof(ReplicatedSqliteDataReader.GetBytes) or nameof(ReplicatedSqliteDataReader.GetChars)))
            throw new InvalidOperationException($"{what}: a part of column {column} was read already. {Rule}");
    }

    /// <summary>A part of the column is asked for.</summary>
    /// <exception cref="InvalidOperationException">It was read already.</exception>
    public void CheckOffset(long offset, string what)
    {
        if (offset < _offset) throw new InvalidOperationException($"{what}: offset {offset} of column {_column} was asked for, which was read up to {_offset} already. {Rule}");
    }

    public void Read(long end) => _offset = end;

    public void Opened(IDisposable stream) => _open = stream;

    private const string Rule = "With CommandBehavior.SequentialAccess a row is read from left to right; leave that out to read in any order.";

    private void Begin(int column)
    {
        _open?.Dispose();
        _open = null;
        _column = column;
        _offset = 0;
    }
}
