using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Node.Tests;

public sealed class SampleConfigurationTests
{
    private static readonly string _deploy = typeof(SampleConfigurationTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "DeployFolder").Value!;

    [Fact]
    public void The_sample_has_no_fault()
    {
        var configuration = NodeConfiguration.Read(Path.Combine(_deploy, "node.json"), new Hashtable(), [], out var faults);
        Assert.True(faults.Count == 0, string.Join('\n', faults.Select(fault => fault.Text)));
        Assert.Equal((LogLevel.Information, LogFormat.Json, TimeSpan.FromSeconds(1)), (configuration!.LogLevel, configuration.LogFormat, configuration.Node.Router.SlowStatement));
    }

    [Fact]
    public void The_service_waits_longer_than_a_node_may_take_to_stop()
    {
        var unit = File.ReadAllLines(Path.Combine(_deploy, "replicatedsqlite-node.service"));
        var patience = int.Parse(unit.Single(line => line.StartsWith("TimeoutStopSec=", StringComparison.Ordinal)).Split('=')[1], System.Globalization.CultureInfo.InvariantCulture);
        var node = NodeConfiguration.Read(Path.Combine(_deploy, "node.json"), new Hashtable(), [], out _)!.Node;
        Assert.True(TimeSpan.FromSeconds(patience) > (node.HandOverPatience + node.StopPatience) * 2, $"{patience} s");
    }

    [Fact]
    public void Alerts_name_metrics_that_a_node_shows()
    {
        var shown = File.ReadAllText(Path.Combine(_deploy, "alerts.yml"));
        var named = System.Text.RegularExpressions.Regex.Matches(shown, "replicatedsqlite_[a-z_]+").Select(match => match.Value).Distinct().ToList();
        Assert.NotEmpty(named);
        var source = string.Join('\n', Directory.GetFiles(Path.Combine(_deploy, "..", "src"), "*.cs", SearchOption.AllDirectories).Where(path => path.Contains("Metrics", StringComparison.Ordinal) || path.EndsWith("MeteredDisk.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        Assert.All(named, name => Assert.Contains('"' + System.Text.RegularExpressions.Regex.Replace(name, "(_seconds)?(_total|_bucket|_count|_sum)?$", "").Replace("replicatedsqlite_", "replicatedsqlite.", StringComparison.Ordinal).Replace("_bytes", "", StringComparison.Ordinal) + '"', source, StringComparison.Ordinal));
    }
}
