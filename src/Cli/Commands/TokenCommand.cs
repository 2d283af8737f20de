using System.CommandLine;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql token create|list|revoke</c>: who may do what.</summary>
internal sealed class TokenCommand(GlobalOptions global, Terminal terminal, TimeProvider time)
{
    private readonly Argument<string> _name = new("NAME") { Description = "What the token is for; shown in the list." };

    private readonly Option<string> _right = new("--right") { Description = "read, write (and read), or admin (everything).", HelpName = "RIGHT", Required = true };

    private readonly Option<string[]> _databases = new("--database")
    {
        Description = "Only this database, by name or id. May be repeated. Without it: all, and those that come.", HelpName = "NAME", DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _expires = new("--expires") { Description = "When it ends: 12h, 30d, or a date such as 2030-01-31. Without it: never.", HelpName = "TIME" };

    private readonly Argument<string> _id = new("ID") { Description = "The token's id, as the list shows it; a whole token will do." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var create = new Command("create", "Makes a token and shows it, this once. Only the token goes to standard output.") { _name, _right, _databases, _expires };
        create.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => CreateAsync(client, parsed, token), cancellationToken));
        var list = new Command("list", "Lists the tokens, without their secrets.");
        list.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => ListAsync(client, parsed, token), cancellationToken));
        var revoke = new Command("revoke", "Ends a token. All nodes know within a second.") { _id };
        revoke.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RevokeAsync(client, parsed, token), cancellationToken));
        return new Command("token", "Manages access tokens.") { create, list, revoke };
    }

    private async Task<int> CreateAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var request = new CreateTokenRequest { Name = parsed.GetValue(_name)!, Right = RightOf(parsed.GetValue(_right)!) };
        request.Databases.AddRange(parsed.GetValue(_databases)!);
        if (parsed.GetValue(_expires) is { } expires) request.ExpiresAt = Timestamp.FromDateTimeOffset(EndOf(expires));
        var created = await client.Admin.CreateTokenAsync(request, cancellationToken);
        await terminal.Error.WriteLineAsync($"{created.Token.Id}: created. The token follows, and is not shown again; keep it like a password.");
        await terminal.Output.WriteLineAsync(created.Secret);
        return ExitCode.Ok;
    }

    private async Task<int> ListAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var table = new TextTable("id", "name", "right", "databases", "created", "expires", "last_used");
        foreach (var token in await client.Admin.ListTokensAsync(cancellationToken))
        {
            var databases = token.Databases.Count == 0 ? "all" : string.Join(",", token.Databases);
            table.Add(token.Id, token.Name, token.Right.ToString().ToLowerInvariant(), databases, Text(token.CreatedAt), token.ExpiresAt is null ? "never" : Text(token.ExpiresAt), Text(token.LastUsedAt));
        }

        table.Write(ResultWriter.Create(global.ModeOf(parsed), headers: true, terminal.Output, terminal.Width()));
        return ExitCode.Ok;
    }

    private async Task<int> RevokeAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        await client.Admin.RevokeTokenAsync(parsed.GetValue(_id)!, cancellationToken);
        await terminal.Output.WriteLineAsync("revoked"); // not what was typed: that may be the whole token
        return ExitCode.Ok;
    }

    private static string Text(Timestamp? at) => at is null ? "" : at.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static Right RightOf(string text) => text switch
    {
        "read" => Right.Read,
        "write" => Right.Write,
        "admin" => Right.Admin,
        _ => throw new ArgumentException($"'{text}' is no right: read, write or admin is wanted."),
    };

    private DateTimeOffset EndOf(string text)
    {
        if (text.Length > 1 && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= 36_500 && text[^1] is 'h' or 'd')
            return time.GetUtcNow() + (text[^1] == 'h' ? TimeSpan.FromHours(count) : TimeSpan.FromDays(count));
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var end)
            ? end
            : throw new ArgumentException($"'{text}' is no time for a token to end: 12h, 30d, 2030-01-31 or 2030-01-31T12:00Z is wanted.");
    }
}
