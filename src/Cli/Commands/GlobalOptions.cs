using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary>Options of all commands.</summary>
internal sealed class GlobalOptions
{
    public const string ServerVariable = "RSQL_SERVER";
    public const string TokenVariable = "RSQL_TOKEN";
    public const string DefaultServer = "127.0.0.1:7101";

    public Option<string> Server { get; } = new("--server", "-s")
    {
        Description = $"The node to talk to, HOST:PORT; several with commas between. Default: ${ServerVariable}, else {DefaultServer}.",
        HelpName = "HOST:PORT",
        Recursive = true,
    };

    public Option<OutputMode> Mode { get; } = new("--mode", "-m")
    {
        Description = "How results are written: table, json (blobs as base64), csv (RFC 4180), line. Blobs are X'…' elsewhere.",
        HelpName = "MODE",
        Recursive = true,
    };

    /// <summary>A client as the options and the environment say. The token has no option: command lines can be seen by others on the machine.</summary>
    /// <exception cref="ArgumentException">The address is none.</exception>
    public ReplicatedSqliteClient Connect(ParseResult parsed, Func<string, string?> environment)
    {
        var server = parsed.GetValue(Server) ?? environment(ServerVariable);
        if (string.IsNullOrWhiteSpace(server)) server = DefaultServer;
        return new ReplicatedSqliteClient(
            server.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            new ReplicatedSqliteClientOptions { Token = environment(TokenVariable) });
    }
}
