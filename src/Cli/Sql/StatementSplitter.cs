namespace ReplicatedSqlite.Cli;

/// <summary>Finds where statements end, by the rule of <c>sqlite3_complete()</c>.</summary>
/// <remarks>
/// The rule knows of one thing beyond tokens: the statements inside CREATE TRIGGER end with <c>;</c> too, and the trigger itself only with
/// <c>;END;</c>. So a CASE … END inside a trigger is no end, as no semicolon stands before its END. Source: SQLite, <c>complete.c</c>, whose states
/// and transitions these are. Statements without a token (only comments, or <c>;;</c>) are left out, as SQLite leaves them out.
/// </remarks>
internal static class StatementSplitter
{
    private const int Begin = 0;
    private const int Normal = 1;
    private const int Explain = 2;
    private const int Create = 3;
    private const int Trigger = 4;
    private const int TriggerSemicolon = 5;
    private const int TriggerEnd = 6;

    public static List<Piece> Split(string sql)
    {
        var pieces = new List<Piece>();
        var tokens = new SqlTokenizer(sql, 0);
        var state = Begin;
        var start = -1; // of the statement's first token
        var end = 0; // of its last
        while (tokens.Next())
        {
            if (tokens.Kind == SqlToken.Space) continue;
            if (start < 0)
            {
                if (tokens.Kind == SqlToken.Semicolon) continue;
                if (sql[tokens.Start] == '.') // no statement starts with a dot, so nothing else can be meant
                {
                    var command = DotCommand(sql, tokens.Start);
                    pieces.Add(command);
                    tokens = new SqlTokenizer(sql, command.End);
                    continue;
                }

                start = tokens.Start;
            }

            end = tokens.End;
            state = Step(state, tokens.Kind, tokens.Text);
            if (state != Begin) continue;
            pieces.Add(new Piece(PieceKind.Statement, start, end));
            start = -1;
        }

        if (start >= 0) pieces.Add(new Piece(PieceKind.Unfinished, start, end));
        return pieces;
    }

    /// <summary>Whether nothing is missing at the end: what a shell asks after each line.</summary>
    public static bool IsComplete(string sql)
    {
        var pieces = Split(sql);
        if (pieces.Count > 0 && pieces[^1].Kind == PieceKind.Unfinished) return false;
        var tokens = new SqlTokenizer(sql, pieces.Count > 0 ? pieces[^1].End : 0);
        while (tokens.Next())
        {
            // Nothing is left but space, comments and semicolons.
        }

        return !tokens.Unterminated;
    }

    private static int Step(int state, SqlToken kind, ReadOnlySpan<char> text)
    {
        if (kind == SqlToken.Semicolon)
            return state is Trigger or TriggerSemicolon ? TriggerSemicolon : Begin;
        var word = kind == SqlToken.Word ? text : [];
        return state switch
        {
            Begin or Explain when Is(word, "CREATE") => Create,
            Begin when Is(word, "EXPLAIN") => Explain,
            Explain when !Is(word, "EXPLAIN") && !Is(word, "TEMP") && !Is(word, "TEMPORARY") && !Is(word, "TRIGGER") && !Is(word, "END") => Explain, // QUERY PLAN
            Create when Is(word, "TEMP") || Is(word, "TEMPORARY") => Create,
            Create when Is(word, "TRIGGER") => Trigger,
            TriggerSemicolon when Is(word, "END") => TriggerEnd,
            Trigger or TriggerSemicolon or TriggerEnd => Trigger,
            _ => Normal,
        };
    }

    private static bool Is(ReadOnlySpan<char> word, string keyword) => word.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    private static Piece DotCommand(string sql, int start)
    {
        var end = sql.IndexOf('\n', start);
        if (end < 0) end = sql.Length;
        while (sql[end - 1] == '\r') end--;
        return new Piece(PieceKind.DotCommand, start, end);
    }
}
