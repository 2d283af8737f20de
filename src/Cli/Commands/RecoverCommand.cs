using System.CommandLine;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql recover --accept-loss NAME…</c> or <c>--all</c>: brings databases back of which too few followers are left.</summary>
internal sealed class RecoverCommand(Terminal terminal)
{
    private readonly Argument<string[]> _databases = new("NAME") { Description = "Names or ids of databases.", Arity = ArgumentArity.ZeroOrMore };

    private readonly Option<bool> _acceptLoss = new("--accept-loss") { Description = "What was confirmed last and had not got to cold storage is lost. Without this nothing is done." };

    private readonly Option<bool> _all = new("--all") { Description = "All databases in cold storage that the cluster does not know of and that were not deleted." };

    private readonly Option<string> _bookmark = new("--bookmark") { Description = "An earlier state, of one database. Default: the newest in cold storage.", HelpName = "BOOKMARK" };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("recover", "Brings databases back from cold storage when too few of their followers are left, or nothing at all.") { _databases, _acceptLoss, _all, _bookmark };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var names = parsed.GetValue(_databases) ?? [];
        var bookmark = parsed.GetValue(_bookmark) ?? "";
        if (parsed.GetValue(_all) != (names.Length == 0) || (bookmark.Length > 0 && names.Length != 1))
        {
            await terminal.Error.WriteLineAsync("error: either names of databases or --all is wanted; --bookmark goes with one name.");
            return ExitCode.Usage;
        }

        if (parsed.GetValue(_all))
        {
            names = [.. (await client.Admin.ListStoredDatabasesAsync(cancellationToken)).Where(static stored => stored is { Known: false, DeletedAt: null }).Select(static stored => stored.Id)];
        }

        var code = ExitCode.Ok;
        foreach (var name in names)
        {
            try
            {
                var recovered = await client.Admin.RecoverDatabaseAsync(
                    new RecoverDatabaseRequest { Database = name, AcceptLoss = parsed.GetValue(_acceptLoss), Bookmark = bookmark }, cancellationToken);
                await terminal.Output.WriteLineAsync(
                    $"{recovered.Database.Name} ({recovered.Database.Id}): as it was at {recovered.RecoveredTo}, committed {recovered.CommittedAt.ToDateTimeOffset():u}; primary in {recovered.Database.PrimaryRegion}");
            }
            catch (ReplicatedSqliteException e) when (names.Length > 1)
            {
                await terminal.Error.WriteAsync($"{name}: ");
                ErrorReport.Write(terminal.Error, e);
                code = ExitCode.Of(e); // the others are tried all the same
            }
        }

        return code;
    }
}
