namespace ReplicatedSqlite.Cli;

/// <summary>Reads <c>BEGIN … COMMIT</c>, alone or as <c>sqlite3 .dump</c> writes it, into one script without them: a script is a transaction already.</summary>
/// <remarks>
/// A dump begins with <c>PRAGMA foreign_keys=OFF</c>, because it writes each table with its rows in the order of creation: rows may come before the
/// rows, or even the table, that they refer to. Keys checked at the end (<c>PRAGMA defer_foreign_keys=ON</c>) take care of the rows; a table that does
/// not exist yet fails at once all the same, so a dump's tables are created first.
/// </remarks>
internal static class TransactionBlock
{
    public static bool StartsAt(SourceText source, IReadOnlyList<Piece> pieces, int index) =>
        IsBegin(source, pieces[index]) || (IsForeignKeysOff(source, pieces[index]) && index + 1 < pieces.Count && IsBegin(source, pieces[index + 1]));

    /// <summary>Reads the block that starts at <paramref name="index"/> and moves it behind the block.</summary>
    public static Script Read(SourceText source, IReadOnlyList<Piece> pieces, ref int index)
    {
        var first = pieces[index];
        var isDump = !IsBegin(source, first);
        index += isDump ? 2 : 1;
        var body = new List<Piece>();
        for (; index < pieces.Count; index++)
        {
            var piece = pieces[index];
            if (piece.Kind == PieceKind.DotCommand)
                throw new LoadException("A dot command stands inside a transaction. Move it before BEGIN or behind COMMIT.", piece.Start);
            var words = LeadingWords.Of(piece.In(source.Text), 3);
            if (words is ["COMMIT" or "END", ..])
            {
                index++;
                return Build(source, first, body, isDump);
            }

            if (words is ["ROLLBACK"] or ["ROLLBACK", "TRANSACTION"])
                throw new LoadException("The transaction ends with ROLLBACK: sqlite3 writes this at the end of a dump that met errors. Nothing was loaded.", piece.Start);
            body.Add(piece);
        }

        throw new LoadException("This transaction has no COMMIT: the file may be cut short. Nothing of it was loaded.", first.Start);
    }

    private static Script Build(SourceText source, Piece first, List<Piece> body, bool isDump)
    {
        List<(Piece, string?)> statements = [];
        if (isDump) statements.Add((first, "PRAGMA defer_foreign_keys=ON;"));
        if (isDump && body.TrueForAll(piece => MayStandInDump(source, piece)))
        {
            statements.AddRange(body.Where(piece => IsCreateTable(source, piece)).Select(piece => (piece, (string?)null)));
            body.RemoveAll(piece => IsCreateTable(source, piece));
        }

        statements.AddRange(body.Select(piece => (piece, (string?)null)));
        return new Script(source, statements, isTransaction: true);
    }

    // Anything else (DROP, UPDATE, CREATE TABLE … AS) was written by somebody with an order in mind, and stays in it.
    private static bool MayStandInDump(SourceText source, Piece piece) => LeadingWords.Of(piece.In(source.Text), 10) switch
    {
        ["CREATE", "TABLE", "IF", "NOT", "EXISTS", _, "AS", ..] or ["CREATE", "TABLE", _, "AS", ..] or ["CREATE", "TABLE", _, ".", ..] => false,
        ["CREATE", "TEMP" or "TEMPORARY", ..] => false,
        ["CREATE" or "INSERT" or "ANALYZE" or "PRAGMA", ..] => true,
        ["DELETE", "FROM", "SQLITE_SEQUENCE"] => true,
        _ => false,
    };

    private static bool IsCreateTable(SourceText source, Piece piece) => LeadingWords.Of(piece.In(source.Text), 2) is ["CREATE", "TABLE"];

    private static bool IsBegin(SourceText source, Piece piece) => piece.Kind == PieceKind.Statement && LeadingWords.Of(piece.In(source.Text), 1) is ["BEGIN"];

    private static bool IsForeignKeysOff(SourceText source, Piece piece) =>
        piece.Kind == PieceKind.Statement && LeadingWords.Of(piece.In(source.Text), 4) is ["PRAGMA", "FOREIGN_KEYS", "=", "OFF" or "0" or "NO" or "FALSE"];
}
