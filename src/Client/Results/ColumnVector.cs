using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>One column of a row batch, addressable by row: the contract stores the k-th value of a type as the k-th of that type's vector.</summary>
internal sealed class ColumnVector
{
    private const int Kinds = 6;

    private readonly ColumnData _data;
    private readonly int[]? _places; // by row, in the vector of its type; null while every row's place is its number

    private ColumnVector(ColumnData data, int[]? places)
    {
        _data = data;
        _places = places;
    }

    /// <summary>Checks the column and numbers its values.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public static string? TryCreate(ColumnData data, int rows, out ColumnVector vector)
    {
        vector = null!;
        var types = data.Types_.Span;
        if (types.Length != rows) return $"{types.Length} types for {rows} rows";
        Span<int> counts = stackalloc int[Kinds];
        var first = types.IsEmpty ? (byte)0 : types[0];
        int[]? places = types.ContainsAnyExcept(first) ? new int[rows] : null;
        for (var row = 0; row < rows; row++)
        {
            var type = types[row];
            if (type >= Kinds) return $"type {type}, which is unknown";
            if (type == (byte)SqlKind.InvalidText) type = (byte)SqlKind.Blob; // they share a vector
            if (places is not null) places[row] = counts[type];
            counts[type]++;
        }

        if (counts[1] != data.Integers.Count || counts[2] != data.Reals.Count || counts[3] != data.Texts.Count || counts[4] != data.Blobs.Count)
            return "other numbers of values than its types say";
        vector = new ColumnVector(data, places);
        return null;
    }

    public SqlKind Kind(int row) => (SqlKind)_data.Types_.Span[row];

    public long Integer(int row) => _data.Integers[Place(row)];

    public double Real(int row) => _data.Reals[Place(row)];

    public string Text(int row) => _data.Texts[Place(row)];

    public ReadOnlyMemory<byte> Blob(int row) => _data.Blobs[Place(row)].Memory;

    /// <summary>The value in the first column of the first row; null for NULL.</summary>
    public static object? First(RowBatch rows, bool mayHaveWritten)
    {
        if (rows.Columns.Count == 0 || rows.Columns[0] is not { Types_.Length: > 0 } column) throw DamagedAnswer.Create("a row has no columns", mayHaveWritten);
        return (SqlKind)column.Types_[0] switch
        {
            SqlKind.Null => null,
            SqlKind.Integer when column.Integers.Count > 0 => column.Integers[0],
            SqlKind.Real when column.Reals.Count > 0 => column.Reals[0],
            SqlKind.Text when column.Texts.Count > 0 => column.Texts[0],
            SqlKind.Blob or SqlKind.InvalidText when column.Blobs.Count > 0 => column.Blobs[0].ToByteArray(),
            _ => throw DamagedAnswer.Create("a column has other numbers of values than its types say", mayHaveWritten),
        };
    }

    private int Place(int row) => _places is null ? row : _places[row];
}
