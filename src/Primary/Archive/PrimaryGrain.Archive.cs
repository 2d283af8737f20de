using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <content>Cold storage: what is brought there, and when it is waited for.</content>
public sealed partial class PrimaryGrain
{
    private static readonly TimeSpan _lastUpload = TimeSpan.FromSeconds(2);

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
