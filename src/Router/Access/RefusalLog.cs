using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>Makes refusals, and tells the log of the first few in each second: who tries tokens out must not fill a disk.</summary>
internal sealed class RefusalLog(TimeProvider time, ILogger logger)
{
    private const int PerSecond = 10;

    private readonly Lock _gate = new();
    private long _since = time.GetTimestamp(); // under the gate, as are the next two
    private int _told;
    private int _untold;

    /// <summary>A refusal, to be thrown.</summary>
    /// <param name="code">One of the contract's.</param>
    /// <param name="text">For the caller; it holds no secret.</param>
    /// <param name="tokenId">Whose token, if one was read.</param>
    /// <param name="peer">Where the call came from.</param>
    /// <param name="method">What was called.</param>
    public RequestException Refuse(string code, string text, string? tokenId, string peer, string method)
    {
        Tell(code, tokenId, peer, method);
        return new RequestException(code, text);
    }

    /// <summary>Tells the log of a refusal that was made elsewhere.</summary>
    public void Tell(string code, string? tokenId, string peer, string method)
    {
        if (!MayTell(out var untold))
        {
            return;
        }

        if (untold > 0)
        {
            RouterLog.RefusedMore(logger, untold);
        }

        RouterLog.Refused(logger, method, peer, code, tokenId ?? "none");
    }

    private bool MayTell(out int untold)
    {
        lock (_gate)
        {
            untold = 0;
            if (time.GetElapsedTime(_since) >= TimeSpan.FromSeconds(1))
            {
                (_since, _told, untold, _untold) = (time.GetTimestamp(), 0, _untold, 0);
            }

            if (_told < PerSecond)
            {
                _told++;
                return true;
            }

            _untold++;
            return false;
        }
    }
}
