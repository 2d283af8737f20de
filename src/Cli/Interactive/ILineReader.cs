namespace ReplicatedSqlite.Cli;

/// <summary>Where a person's lines come from.</summary>
internal interface ILineReader
{
    /// <summary>What <see cref="ReadLine"/> gives for Ctrl-C, and for nothing else.</summary>
    const string Discarded = "\x03";

    /// <summary>The next line, without its end; <see langword="null"/> at the end of input.</summary>
    string? ReadLine(string prompt);

    /// <summary>A statement is complete, or a command was given.</summary>
    void Remember(string entry);
}

/// <summary>Lines of a terminal that can do nothing but send lines.</summary>
internal sealed class PlainLineReader(TextReader input, TextWriter output) : ILineReader
{
    public string? ReadLine(string prompt)
    {
        output.Write(prompt);
        output.Flush();
        return input.ReadLine();
    }

    public void Remember(string entry)
    {
        // It has no memory.
    }
}
