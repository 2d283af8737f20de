using ReplicatedSqlite.Client.Tests;

namespace ReplicatedSqlite.Cli.Tests;

/// <summary>Runs rsql in this process against a fake server and keeps what it wrote.</summary>
internal static class Rsql
{
    public static Task<(int Code, string Output, string Error)> RunAsync(FakeServer server, params string[] args) => RunAsync(server.Address, "", false, args);

    public static Task<(int Code, string Output, string Error)> RunAsync(string server, string input, bool interactive, params string[] args) =>
        RunAsync(server, input, interactive, showsProgress: false, args);

    public static async Task<(int Code, string Output, string Error)> RunAsync(
        string server, string input, bool interactive, bool showsProgress, params string[] args)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var terminal = new Terminal(new StringReader(input), output, error, interactive, showsProgress);
        var code = await new RsqlCommand(terminal, name => name == GlobalOptions.ServerVariable ? server : null).RunAsync(args);
        return (code, output.ToString(), error.ToString());
    }
}
