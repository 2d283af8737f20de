using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Router;

/// <summary>When tokens were last used here: noted in memory, told to the control plane once a minute. Best effort: nothing rests on it.</summary>
internal sealed class TokenUse : IAsyncDisposable
{
    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly ITokenStore _tokens;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, byte> _used = new(StringComparer.Ordinal); // of known tokens only, so as many as there are
    private readonly ITimer _timer;
    private int _telling; // by Interlocked; one at a time

    public TokenUse(ITokenStore tokens, TimeProvider time, ILogger logger)
    {
        _tokens = tokens;
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(static state => _ = ((TokenUse)state!).TellAsync(), this, _interval, _interval);
    }

    public void Note(string id)
    {
        if (!_used.ContainsKey(id)) // reads take no lock
        {
            _used.TryAdd(id, 0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await TellAsync();
    }

    private async Task TellAsync()
    {
        if (_used.IsEmpty || Interlocked.Exchange(ref _telling, 1) != 0)
        {
            return;
        }

        try
        {
            var now = _time.GetUtcNow();
            var used = _used.Keys.ToDictionary(id => id, _ => now, StringComparer.Ordinal);
            _used.Clear();
            using var patience = new CancellationTokenSource(_patience, _time);
            await _tokens.NoteUseAsync(used, patience.Token);
        }
#pragma warning disable CA1031 // Whatever it is: the time of a token's last use is not worth more than a line in the log.
        catch (Exception e)
#pragma warning restore CA1031
        {
            RouterLog.UseNotNoted(_logger, e);
        }
        finally
        {
            Volatile.Write(ref _telling, 0);
        }
    }
}
