using System.CommandLine;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary>What kind of file is exported or imported.</summary>
internal static class TransferFormat
{
    public static Option<string?> Option()
    {
        var option = new Option<string?>("--format") { Description = "sqlite or sql, where the file does not show it.", HelpName = "FORMAT" };
        option.AcceptOnlyFromAmong("sqlite", "sql");
        return option;
    }

    /// <summary>The option's value; <see langword="null"/> if it was not given.</summary>
    public static ExportFormat? Parse(string? name) => name switch
    {
        null => null,
        "sql" => ExportFormat.Sql,
        _ => ExportFormat.Sqlite,
    };

    /// <summary>What a file begins as. It stands at its beginning again.</summary>
    public static async Task<ExportFormat> OfAsync(Stream file, CancellationToken cancellationToken)
    {
        var start = new byte[16];
        var read = await file.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken);
        file.Position = 0;
        return start.AsSpan(0, read).SequenceEqual("SQLite format 3\0"u8) ? ExportFormat.Sqlite : ExportFormat.Sql;
    }
}

/// <summary>Tells its receiver at once, in the order of the reports.</summary>
internal sealed class SynchronousProgress<T>(Action<T> told) : IProgress<T>
{
    public void Report(T value) => told(value);
}
