using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Keeps what nodes log, so that tests can ask for it.</summary>
/// <param name="from">The least level that is kept.</param>
internal sealed class KeptLog(LogLevel from = LogLevel.Warning) : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    private LogLevel From => from;

    public IReadOnlyList<string> Lines => [.. _lines.Select(line => line.Text)];

    /// <summary>What was told as an error or worse.</summary>
    public IReadOnlyList<string> Errors => [.. _lines.Where(line => line.Level >= LogLevel.Error).Select(line => line.Text)];

    /// <summary>Forgets what was told so far.</summary>
    public void Clear() => _lines.Clear();

    /// <summary>Nothing went wrong inside.</summary>
    public void HasNoErrors()
    {
        var errors = _lines.Where(line => line.Level >= LogLevel.Error).Select(line => line.Text).ToList();
        Assert.True(errors.Count == 0, $"{errors.Count} errors were logged, the first:\n{errors.FirstOrDefault()}");
    }

    public ILogger CreateLogger(string categoryName) => new Keeper(this, categoryName);

    public void Dispose()
    {
        // Nothing is held.
    }

    private sealed class Keeper(KeptLog owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= owner.From;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                owner._lines.Enqueue((logLevel, $"{category}: {formatter(state, exception)} {exception}"));
            }
        }
    }
}
