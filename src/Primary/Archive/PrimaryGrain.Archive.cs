using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <content>Cold storage: what is brought there, and when it is waited for.</content>
public sealed partial class PrimaryGrain
{
    private static readonly TimeSpan _lastUpload = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _restoring = new(1);

    /// <inheritdoc/>
    public async Task<Bookmark> FindBookmarkAsync(long atMicroseconds, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        var found = await AskStoreAsync(restorer => restorer.FindAsync(_database, atMicroseconds, cancellationToken));
        return found?.ToBookmark(_database) ?? throw new RequestException(
            ErrorCodes.InvalidRequest, "That moment lies before everything that cold storage holds of this database. Nothing was done.");
    }

    /// <inheritdoc/>
    public async Task<RestoredDatabase> RestoreAsync(Bookmark bookmark, CancellationToken cancellationToken)
    {
        Refuse(bookmark);
        await _restoring.WaitAsync(cancellationToken);
        var image = Path.Combine(_context.FolderOf(_database), "restoring.sqlite");
        try
        {
            await FlushAsync(cancellationToken);
            var state = await AskStoreAsync(restorer => restorer.RestoreAsync(_database, image, bookmark, cancellationToken));
            using var turn = await _writer.TakeTurnAsync(cancellationToken); // what runs ends first, what waits comes after
            await PassAsync(turn.Position);
            var restored = await ReplaceAsync(image, turn);
            await PassAsync(restored);
            PrimaryLog.Restored(_context.Logger, _database, state.Position, restored);
            return new RestoredDatabase(restored.ToBookmark(_database), turn.Position.ToBookmark(_database), state.Position.ToBookmark(_database));
        }
        finally
        {
            File.Delete(image);
            _restoring.Release();
        }
    }

    /// <inheritdoc/>
    public async Task StoreAsync(Bookmark? bookmark, CancellationToken cancellationToken)
    {
        if (bookmark is { } given)
        {
            Refuse(given);
        }

        await FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        using (var turn = await _writer.TakeTurnAsync(cancellationToken))
        {
            await PassAsync(turn.Position);
            _writer.Refuse(new RequestException(ErrorCodes.NoPrimary, "The database is being deleted. Nothing was done."));
        }

        if (_uploader is not null)
        {
            await FlushAsync(cancellationToken);
        }
    }

    private async Task<Position> ReplaceAsync(string image, WriterTurn turn)
    {
        try
        {
            return await _context.Writers.RunAsync(() =>
            {
                _writer.ReplaceBy(image);
                return _writer.MakeOwnTables();
            });
        }
        catch (InvalidDataException e)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, e.Message);
        }
        catch (Exception e)
        {
            turn.Fail(e);
            throw;
        }
    }

    private void Refuse(Bookmark bookmark)
    {
        var confirmed = _log.Confirmed;
        var current = confirmed.ToBookmark(_database).ToString();
        if (bookmark != Bookmark.Start && bookmark.DatabaseTag != _database.Tag)
        {
            throw BookmarkErrors.Foreign(bookmark);
        }

        if (_epochs.IsAbandoned(bookmark, confirmed.Epoch))
        {
            throw BookmarkErrors.Abandoned(bookmark, current);
        }

        if (IsAbove(bookmark, confirmed))
        {
            throw BookmarkErrors.Future(bookmark, current);
        }
    }

    private async Task<T> AskStoreAsync<T>(Func<ColdRestorer, Task<T>> ask)
    {
        try
        {
            return await ask((_context.Cold ?? throw NoColdStorage()).Restorer);
        }
        catch (ObjectStoreException e)
        {
            throw new RequestException(ErrorCodes.Internal, $"{e.Message} The database is as it was.");
        }
        catch (BookmarkNotStoredException e)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, e.Message);
        }
    }

    /// <summary>Completes when everything confirmed by now is in cold storage.</summary>
    /// <exception cref="RequestException">There is none, or it does not take it.</exception>
    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_uploader is null)
        {
            throw NoColdStorage();
        }

        try
        {
            await _uploader.FlushAsync(cancellationToken).WaitAsync(_context.Options.UploadPatience, _context.Time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new RequestException(
                ErrorCodes.NoPrimary, $"Cold storage did not take the newest entries within {_context.Options.UploadPatience.TotalSeconds:F0} s; the node's log says why. Nothing was done; try again.");
        }
    }

    // What is confirmed goes along, if the store takes it at once; else whoever leads next brings it there.
    private async ValueTask EndUploadsAsync()
    {
        if (_uploader is null)
        {
            return;
        }

        _log.MoreConfirmed -= _uploader.Confirm;
        if (_log.Failure is null)
        {
            try
            {
                await _uploader.FlushAsync(CancellationToken.None).WaitAsync(_lastUpload, _context.Time);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException or ObjectDisposedException)
            {
                // The log is kept until it is there.
            }
        }

        await _uploader.DisposeAsync();
    }

    private static RequestException NoColdStorage() =>
        new(ErrorCodes.InvalidRequest, "This cluster keeps no cold storage, and without it there is no way back in time. Start its nodes with a folder or bucket for it. Nothing was done.");
}
