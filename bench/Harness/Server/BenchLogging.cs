using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Nothing is logged while it is measured, unless the variable <c>BENCH_LOG</c> asks for it: then warnings go to standard error.</summary>
internal static class BenchLogging
{
    public static ILoggerFactory Create() => Environment.GetEnvironmentVariable("BENCH_LOG") is { Length: > 0 }
        ? LoggerFactory.Create(static logging => logging.AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning))
        : NullLoggerFactory.Instance;
}
