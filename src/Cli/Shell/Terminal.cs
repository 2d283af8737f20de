using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>The process's streams, so that tests bring their own.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output: results and nothing else.</param>
/// <param name="Error">Standard error: errors, progress, bookmarks.</param>
/// <param name="IsInteractive">Standard input is a terminal.</param>
/// <param name="ShowsProgress">Standard error is a terminal.</param>
internal sealed record Terminal(TextReader Input, TextWriter Output, TextWriter Error, bool IsInteractive, bool ShowsProgress)
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Output is buffered: Console.Out would make a system call for every field.</summary>
    public static Terminal OfProcess() => new(
        Console.In,
        new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), BufferBytes),
        Console.Error,
        !Console.IsInputRedirected,
        !Console.IsErrorRedirected);
}
