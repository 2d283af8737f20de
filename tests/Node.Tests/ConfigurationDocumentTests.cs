using System.Reflection;

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
    public void No_two_settings_share_a_name_anywhere()
    {
        Assert.Distinct(NodeSettings.All.Select(setting => setting.Variable));
        Assert.Distinct(NodeSettings.All.Select(setting => setting.Option));
    }
}
