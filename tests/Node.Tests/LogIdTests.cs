using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Node.Tests;

public sealed partial class LogIdTests
{
    [Fact]
    public void No_two_messages_share_an_id()
    {
        var shared = Messages().GroupBy(message => message.Id).Where(group => group.Count() > 1).Select(group => $"{group.Key}: {string.Join(", ", group.Select(message => message.Method))}");
        Assert.Empty(shared);
    }

    [Fact]
    public void Every_id_is_in_the_table_with_its_level_and_the_table_has_no_other()
    {
        var messages = Messages();
        Assert.True(messages.Count > 30, $"Only {messages.Count} messages were found."); // else nothing would be compared
        Assert.Equal(messages.Select(message => $"{message.Id} {message.Level}").Order(StringComparer.Ordinal), Documented().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_message_names_a_parameter_that_could_hold_values_of_users()
    {
        // Texts of SQL go through the normalizer; nothing else of a statement is ever told.
        string[] allowed = ["sql"];
        Assert.All(Messages(), message => Assert.DoesNotContain(message.Parameters, name =>
            !allowed.Contains(name) && (name.Contains("sql", StringComparison.OrdinalIgnoreCase) || name.Contains("secret", StringComparison.OrdinalIgnoreCase) || name is "parameters" or "values")
            && name is not ("sqlMs")));
    }

    // From the source: the compiler leaves the attribute out.
    private static List<(int Id, LogLevel Level, string Method, string[] Parameters)> Messages() =>
    [
        .. from file in Directory.GetFiles(Folder("SourceFolder"), "*.cs", SearchOption.AllDirectories)
           where !file.Contains("/obj/", StringComparison.Ordinal)
           from Match message in Message().Matches(File.ReadAllText(file))
           select (
               int.Parse(message.Groups["id"].Value, CultureInfo.InvariantCulture),
               Enum.Parse<LogLevel>(message.Groups["level"].Value),
               $"{Path.GetFileNameWithoutExtension(file)}.{message.Groups["method"].Value}",
               message.Groups["parameters"].Value.Split(',').Select(parameter => parameter.Trim().Split(' ')[^1]).ToArray()),
    ];

    // Rows of the table: | 4203, 4204 | error, warning | … |
    private static IEnumerable<string> Documented()
    {
        foreach (Match row in Row().Matches(File.ReadAllText(Path.Combine(Folder("DocsFolder"), "logs.md"))))
        {
            var ids = row.Groups["ids"].Value.Split(',', StringSplitOptions.TrimEntries);
            var levels = row.Groups["levels"].Value.Split(',', StringSplitOptions.TrimEntries);
            for (var i = 0; i < ids.Length; i++)
            {
                var level = levels[Math.Min(i, levels.Length - 1)] switch
                {
                    "info" => LogLevel.Information,
                    var other => Enum.Parse<LogLevel>(other, ignoreCase: true),
                };
                yield return string.Create(CultureInfo.InvariantCulture, $"{ids[i]} {level}");
            }
        }
    }

    private static string Folder(string name) => typeof(LogIdTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == name).Value!;

    [GeneratedRegex(@"\[LoggerMessage\(\s*(EventId = )?(?<id>\d+),\s*(Level = )?LogLevel\.(?<level>\w+),.*?\)\]\s*\w+ static partial void (?<method>\w+)\((?<parameters>[^)]*)\)", RegexOptions.Singleline)]
    private static partial Regex Message();

    [GeneratedRegex(@"^\| (?<ids>\d{4}(, \d{4})*) \| (?<levels>[a-z]+(, [a-z]+)*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
