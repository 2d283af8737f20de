namespace ReplicatedSqlite.Cli;

/// <summary>What a stretch of the input is.</summary>
internal enum PieceKind
{
    /// <summary>A statement with its semicolon.</summary>
    Statement,

    /// <summary>The last statement, with no semicolon; it may go on.</summary>
    Unfinished,

    /// <summary>A line that starts with a dot.</summary>
    DotCommand,
}

/// <summary>A statement or dot command in its source: from its first token, comments before it left out, to its end.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Where it starts in the source.</param>
/// <param name="End">Just past its end.</param>
internal readonly record struct Piece(PieceKind Kind, int Start, int End)
{
    public ReadOnlySpan<char> In(string source) => source.AsSpan(Start, End - Start);
}
