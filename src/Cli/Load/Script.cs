using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Statements of a source, put together into one script that is sent as one transaction.</summary>
internal sealed class Script
{
    private readonly (Piece Source, int Start)[] _statements; // in the script's order, with where each starts in its text
    private readonly SourceText _source;

    /// <summary>Puts statements together in the order given.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="statements">The statements; one whose text is replaced keeps its place in the source.</param>
    /// <param name="isTransaction">The source asks for one transaction, so it cannot be split further.</param>
    public Script(SourceText source, IEnumerable<(Piece Piece, string? Replacement)> statements, bool isTransaction)
    {
        _source = source;
        IsTransaction = isTransaction;
        var text = new StringBuilder();
        var places = new List<(Piece, int)>();
        foreach (var (piece, replacement) in statements)
        {
            if (text.Length > 0) text.Append('\n');
            places.Add((piece, text.Length));
            if (replacement is null) text.Append(piece.In(source.Text));
            else text.Append(replacement);
        }

        _statements = [.. places];
        Sql = text.ToString();
        SizeBytes = Encoding.UTF8.GetByteCount(Sql);
    }

    public string Sql { get; }

    public int SizeBytes { get; }

    public bool IsTransaction { get; }

    public int StatementCount => _statements.Length;

    public int FirstLine => _source.LineAt(_statements.Min(statement => statement.Source.Start));

    public int LastLine => _source.LineAt(SourceEnd);

    /// <summary>How far into the source it reaches.</summary>
    public int SourceEnd => _statements.Max(statement => statement.Source.End);

    /// <summary>The place in the source that an error names by statement and by byte of the script; null if it names none.</summary>
    public int? FindInSource(int statementIndex, int byteOffset)
    {
        if (byteOffset >= 0)
        {
            var offset = CharacterAt(byteOffset);
            var index = Array.FindLastIndex(_statements, statement => statement.Start <= offset);
            var (piece, start) = _statements[Math.Max(index, 0)];
            return Math.Clamp(piece.Start + offset - start, piece.Start, Math.Max(piece.Start, piece.End - 1));
        }

        return statementIndex >= 0 && statementIndex < _statements.Length ? _statements[statementIndex].Source.Start : null;
    }

    private int CharacterAt(int byteOffset)
    {
        var bytes = 0;
        var characters = 0;
        foreach (var rune in Sql.EnumerateRunes())
        {
            if (bytes >= byteOffset) break;
            bytes += rune.Utf8SequenceLength;
            characters += rune.Utf16SequenceLength;
        }

        return characters;
    }
}
