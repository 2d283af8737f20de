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

    /// <summary>The width of the terminal that the output goes to; <see langword="null"/> if it goes somewhere else.</summary>
    public Func<int?> Width { get; init; } = static () => null;

    /// <summary>Lines can be edited: the input is a terminal that knows how to move its cursor.</summary>
    public bool CanEdit { get; init; }

    /// <summary>Output is buffered: Console.Out would make a system call for every field.</summary>
    public static Terminal OfProcess() => new(
        Console.In,
        new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), BufferBytes),
        Console.Error,
        !Console.IsInputRedirected,
        !Console.IsErrorRedirected)
    {
        Width = static () => Console.IsOutputRedirected || Console.WindowWidth < 20 ? null : Console.WindowWidth,
        CanEdit = !Console.IsInputRedirected && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb",
    };
}
