using System.Reflection;
using System.Text.RegularExpressions;

namespace ReplicatedSqlite.Node.Tests;

public sealed class ConfigurationDocumentTests
{
    [Fact]
    public void Every_setting_is_in_the_document_with_its_default()
    {
        var document = File.ReadAllText(Path.Combine(
            typeof(ConfigurationDocumentTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "DocsFolder").Value!, "configuration.md"));
        Assert.All(NodeSettings.All, setting =>
        {
            var row = document.Split('\n').FirstOrDefault(line => line.StartsWith($"| `{setting.Key}` |", StringComparison.Ordinal));
            Assert.True(row is not null, $"{setting.Key} is not in docs/configuration.md");
            Assert.Contains(setting.Meaning, row, StringComparison.Ordinal);
            if (setting.DefaultText is { } text && setting != NodeSettings.Roles)
            {
                Assert.Contains($"`{text}`", row, StringComparison.Ordinal);
            }
        });
    }

    [Fact]
    public void Every_name_in_the_document_is_a_setting()
    {
        var document = File.ReadAllText(Path.Combine(
            typeof(ConfigurationDocumentTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "DocsFolder").Value!, "configuration.md"));
        var settings = NodeSettings.All.ToList();
        var sections = settings.Where(setting => setting.Key.Contains('.', StringComparison.Ordinal)).Select(setting => setting.Key.Split('.')[0]).ToHashSet(StringComparer.Ordinal);
        var named = Regex.Matches(document, "`([a-z0-9_]+(?:\\.[a-z0-9_]+)+)`").Select(match => match.Groups[1].Value).Where(name => sections.Contains(name.Split('.')[0]))
            .Concat(Regex.Matches(document, "^\\| `([a-z0-9_.]+)` \\|[^|\\n]*\\|[^|\\n]*\\|", RegexOptions.Multiline).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        Assert.True(named.Count >= settings.Count, $"{named.Count} names were found.");
        Assert.All(named, name => Assert.Contains(settings, setting => setting.Key == name));
        Assert.All(Regex.Matches(document, "`(RS_[A-Z0-9_]+)`").Select(match => match.Groups[1].Value).Where(name => name != "RS_CONFIG"), name => Assert.Contains(settings, setting => setting.Variable == name));
    }

    [Fact]
    public void No_two_settings_share_a_name_anywhere()
    {
        Assert.Distinct(NodeSettings.All.Select(setting => setting.Variable));
        Assert.Distinct(NodeSettings.All.Select(setting => setting.Option));
    }
}
