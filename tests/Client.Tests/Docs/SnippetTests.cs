using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;

namespace ReplicatedSqlite.Client.Tests;

public sealed class SnippetTests(LiveCluster cluster)
{
    private static readonly string _root = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;

    [Theory]
    [InlineData("docs/client.md")]
    [InlineData("src/Client/README.md")]
    [InlineData("src/Client.AspNetCore/README.md")]
    [InlineData("README.md")]
    public void Every_snippet_of_a_page_is_compiled(string page)
    {
        var compiled = Lines(File.ReadAllText(Path.Combine(_root, "tests/Client.Tests/Docs/Snippets.cs")));
        var snippets = File.ReadAllText(Path.Combine(_root, page)).Split("```csharp\n").Skip(1).Select(rest => rest[..rest.IndexOf("```", StringComparison.Ordinal)]).ToList();
        Assert.NotEmpty(snippets);
        foreach (var snippet in snippets)
            Assert.True(compiled.Contains(Lines(snippet), StringComparison.Ordinal), $"{page} has a snippet that is not in Snippets.cs:\n{snippet}");
    }

    [Fact]
    public async Task The_snippets_do_what_they_say()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER UNIQUE ON CONFLICT REPLACE)");
        await using var connection = await source.OpenConnectionAsync();
        var (count, newest, bookmark) = await Snippets.SessionAsync(source);
        Assert.Equal((1, 1), (count, newest));
        Assert.True((await Snippets.ShortSessionAsync(source)).Item2 > bookmark);
        await Snippets.ReadAsync(connection, CancellationToken.None);
        await Snippets.TransactAsync(connection);
        await Snippets.BatchAsync(connection);
        await using var twice = new ReplicatedSqliteCommand("CREATE TABLE u (x UNIQUE); INSERT INTO u VALUES (1), (1)", connection);
        await Snippets.ErrorsAsync(twice);
        await Snippets.LogAsync(source.ConnectionString, NullLoggerFactory.Instance);
    }

    private static string Lines(string text) => string.Join('\n', text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));
}
