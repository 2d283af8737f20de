using System.Text.Json;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node.Tests;

public sealed class LoggingTests
{
    [Fact]
    public void In_json_each_event_is_one_object_with_its_id_and_its_values_by_name()
    {
        var error = Console.Error;
        using var written = new StringWriter();
        Console.SetError(written);
        try
        {
            using (var logging = NodeLogging.Create(LogLevel.Information, LogFormat.Json)) // on its end everything is written
            {
                NodeLog.TakingOver(logging.CreateLogger("ReplicatedSqlite.Node"), new DatabaseId(Guid.Empty), "its \"leader\"\nwent");
            }
        }
        finally
        {
            Console.SetError(error);
        }

        using var line = JsonDocument.Parse(Assert.Single(written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(4005, line.RootElement.GetProperty("EventId").GetInt32());
        Assert.Equal("Warning", line.RootElement.GetProperty("LogLevel").GetString());
        Assert.Equal("its \"leader\"\nwent", line.RootElement.GetProperty("State").GetProperty("Reason").GetString());
        Assert.EndsWith("Z", line.RootElement.GetProperty("Timestamp").GetString(), StringComparison.Ordinal);
    }
}
