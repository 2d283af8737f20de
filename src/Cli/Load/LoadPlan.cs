namespace ReplicatedSqlite.Cli;

/// <summary>A step of running a source: a script, or a dot command.</summary>
/// <param name="Script">What to send, if it is a script.</param>
/// <param name="Command">The line, if it is a dot command.</param>
internal readonly record struct LoadStep(Script? Script, string? Command);

/// <summary>Decides what of a source is sent together.</summary>
internal static class LoadPlan
{
    /// <summary>A request may have 16 MiB; this leaves room for what goes around the SQL.</summary>
    public const int MaxScriptBytes = (16 * 1024 * 1024) - (64 * 1024);

    /// <summary>A chunk holds the database's writer while it runs, so chunks are kept short.</summary>
    public const int ChunkCharacters = 256 * 1024;

    public static List<LoadStep> Make(SourceText source) => Make(source, ChunkCharacters, MaxScriptBytes);

    /// <exception cref="LoadException">Something cannot be sent. Nothing was.</exception>
    public static List<LoadStep> Make(SourceText source, int chunkCharacters, int maxScriptBytes)
    {
        var pieces = StatementSplitter.Split(source.Text);
        var steps = new List<LoadStep>();
        var chunk = new List<Piece>();
        var chunkLength = 0;
        for (var i = 0; i < pieces.Count;)
        {
            var piece = pieces[i];
            if (piece.Kind == PieceKind.DotCommand)
            {
                Flush();
                steps.Add(new LoadStep(null, piece.In(source.Text).ToString()));
                i++;
            }
            else if (TransactionBlock.StartsAt(source, pieces, i))
            {
                Flush();
                Add(TransactionBlock.Read(source, pieces, ref i));
            }
            else if (LeadingWords.Of(piece.In(source.Text), 1) is ["VACUUM"])
            {
                Flush(); // it cannot share a transaction
                chunk.Add(piece);
                Flush();
                i++;
            }
            else
            {
                var length = piece.End - piece.Start;
                if (chunkLength + length > chunkCharacters) Flush();
                chunk.Add(piece);
                chunkLength += length;
                i++;
            }
        }

        Flush();
        return steps;

        void Flush()
        {
            if (chunk.Count > 0) Add(new Script(source, chunk.Select(piece => (piece, (string?)null)), isTransaction: false));
            chunk.Clear();
            chunkLength = 0;
        }

        void Add(Script script)
        {
            if (script.StatementCount == 0) return;
            if (script.SizeBytes > maxScriptBytes)
            {
                var size = FormattableString.Invariant($"{script.SizeBytes / 1048576.0:F1} MiB; a request carries {maxScriptBytes / 1048576.0:F1} MiB at most");
                throw new LoadException(
                    script.IsTransaction
                        ? $"This is one transaction of {size}. Take its BEGIN and COMMIT out to load it in chunks, each a transaction of its own, or dump fewer tables at a time. Nothing was loaded."
                        : $"This statement has {size}. Write it as several. Nothing was loaded.",
                    script.FindInSource(0, -1) ?? 0);
            }

            steps.Add(new LoadStep(script, null));
        }
    }
}
