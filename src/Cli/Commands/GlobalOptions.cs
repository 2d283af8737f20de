using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary>Options of all commands.</summary>
internal sealed class GlobalOptions
{
    public const string ServerVariable = "RSQL_SERVER";
    public const string TokenVariable = "RSQL_TOKEN";
    public const string AuthorityVariable = "RSQL_CA";
    public const string DefaultServer = "127.0.0.1:7101";

    public Option<string> Server { get; } = new("--server", "-s")
    {
        Description = $"The node to talk to, HOST:PORT or https://HOST:PORT; several with commas between. Default: ${ServerVariable}, else {DefaultServer}.",
        HelpName = "HOST:PORT",
        Recursive = true,
    };

    public Option<OutputMode> Mode { get; } = new("--mode", "-m")
    {
        Description = "How results are written: table, json (blobs as base64), csv (RFC 4180), line. Blobs are X'…' elsewhere.",
        HelpName = "MODE",
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json") { Description = "The same as --mode json.", Recursive = true };

    public OutputMode ModeOf(ParseResult parsed) => parsed.GetValue(Json) ? OutputMode.Json : parsed.GetValue(Mode);

    public Option<string?> Token { get; } = new("--token")
    {
        Description = $"An access token. ${TokenVariable} is better: others on the machine can see command lines.",
        HelpName = "rs_…",
        Recursive = true,
    };

    public Option<string?> Authority { get; } = new("--ca")
    {
        Description = $"The authorities that sign the nodes' certificates, a PEM file. Default: ${AuthorityVariable}, else those that the machine trusts.",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<bool> AllowPlaintextToken { get; } = new("--allow-plaintext-token")
    {
        Description = "Send the token also to a node beyond this machine without encryption. Whoever can read along there has it then.",
        Recursive = true,
    };

    /// <summary>A client as the options and the environment say.</summary>
    /// <exception cref="ArgumentException">The address is none, the authorities cannot be read, or the token would travel readable.</exception>
    public ReplicatedSqliteClient Connect(ParseResult parsed, Func<string, string?> environment)
    {
        var server = parsed.GetValue(Server) ?? environment(ServerVariable);
        if (string.IsNullOrWhiteSpace(server)) server = DefaultServer;
        return new ReplicatedSqliteClient(
            server.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            new ReplicatedSqliteClientOptions
            {
                Token = (parsed.GetValue(Token) ?? environment(TokenVariable))?.Trim(),
                AuthorityFile = parsed.GetValue(Authority) ?? environment(AuthorityVariable),
                AllowPlaintextToken = parsed.GetValue(AllowPlaintextToken),
            });
    }
}
