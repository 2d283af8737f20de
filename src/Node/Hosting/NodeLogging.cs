using Microsoft.Extensions.Logging.Console;

namespace ReplicatedSqlite.Node;

/// <summary>How the log is written.</summary>
internal enum LogFormat
{
    /// <summary>A line each, for people.</summary>
    Text,

    /// <summary>A JSON object each, for machines: with the event's id, and its values by name.</summary>
    Json,
}

/// <summary>The log of a process, on standard error.</summary>
internal static class NodeLogging
{
    public static ILoggerFactory Create(LogLevel from, LogFormat format) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(from).AddFilter("Microsoft", LogLevel.Warning);
        if (format == LogFormat.Json)
        {
            logging.AddJsonConsole(static console =>
            {
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                console.UseUtcTimestamp = true;
            });
        }
        else
        {
            logging.AddSimpleConsole(static console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
        }

        logging.Services.Configure<ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    });
}
