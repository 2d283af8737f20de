using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <content>Whole files: the database as one, one in its place, and SQL from one.</content>
public sealed partial class PrimaryGrain : ITransfers
{
    /// <inheritdoc/>
    public async Task<Bookmark> CopyAsync(string path, Bookmark? at, CancellationToken cancellationToken)
    {
        var bookmark = at is { } wanted && wanted != _log.Confirmed.ToBookmark(_database)
            ? await CopyOldAsync(path, wanted, cancellationToken)
            : await CopyNowAsync(path, cancellationToken);
        await _context.Readers.RunAsync(() => ExportedImage.Finish(path));
        return bookmark;
    }

    /// <inheritdoc/>
    public async Task<Bookmark> ReplaceAsync(string path, CancellationToken cancellationToken)
    {
        using var turn = await _writer.TakeTurnAsync(cancellationToken);
        await PassAsync(turn.Position);
        var replaced = await ReplaceAsync(path, turn);
        return await _log.PassAsync(replaced) ? replaced.ToBookmark(_database) : throw LostWrite.Explain(_log);
    }

    /// <inheritdoc/>
    public async Task<(Bookmark Bookmark, ScriptOutcome Outcome)> RunScriptAsync(string path, CancellationToken cancellationToken)
    {
        var (position, outcome) = await RunInTurnAsync(path, cancellationToken);
        return await _log.PassAsync(position) ? (position.ToBookmark(_database), outcome) : throw LostWrite.Explain(_log);
    }

    private async Task<(Position Position, ScriptOutcome Outcome)> RunInTurnAsync(string path, CancellationToken cancellationToken)
    {
        using var turn = await _writer.TakeTurnAsync(cancellationToken);
        await PassAsync(turn.Position); // so that what it is refused with was computed from confirmed state
        try
        {
            return await _context.Writers.RunAsync(() =>
            {
                using var transaction = _writer.BeginTransaction(key: "");
                using var sql = File.OpenRead(path);
                var outcome = transaction.RunScript(sql, EntryLimits.MaxPageDataBytes, cancellationToken);
                return (_writer.CommitTransaction(transaction, key: ""), outcome);
            });
        }
        catch (Exception e) when (e is not (RequestException or OperationCanceledException or IOException))
        {
            turn.Fail(e); // what was committed here may be missing in the log: this primary ends
            throw LostWrite.Explain(_log);
        }
    }

    private async Task<Bookmark> CopyNowAsync(string path, CancellationToken cancellationToken)
    {
        await ProveAsync();
        using var use = _snapshots.Enter();
        var (snapshot, position) = await _context.Readers.RunAsync(() =>
        {
            lock (_commit)
            {
                return (SnapshotReader.Open(_file.Path), _log.Appended);
            }
        });
        try
        {
            await _context.Readers.RunAsync(() => ExportedImage.Copy(snapshot, path, cancellationToken));
        }
        finally
        {
            try
            {
                await _context.Readers.RunAsync(snapshot.Dispose);
            }
            catch (Exception e) when (e is RequestException or ObjectDisposedException)
            {
                snapshot.Dispose(); // it holds a read transaction: it ends also when the workers take nothing
            }
        }

        await PassAsync(position);
        return position.ToBookmark(_database);
    }

    private async Task<Bookmark> CopyOldAsync(string path, Bookmark at, CancellationToken cancellationToken)
    {
        Refuse(at);
        await FlushAsync(cancellationToken);
        return (await AskStoreAsync(restorer => restorer.RestoreAsync(_database, path, at, cancellationToken))).Position.ToBookmark(_database);
    }
}
