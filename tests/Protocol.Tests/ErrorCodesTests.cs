using System.Text.RegularExpressions;

namespace ReplicatedSqlite.Protocol.Tests;

public partial class ErrorCodesTests
{
    [Fact]
    public void Every_code_has_the_status_that_the_contract_gives_it()
    {
        var table = Table();
        Assert.True(table.Count >= 25, $"only {table.Count} codes were found in query.proto");
        foreach (var (code, status) in table)
        {
            Assert.Equal((code, status), (code, ErrorCodes.StatusOf(code)));
        }
    }

    [Fact]
    public void Every_constant_is_in_the_contract()
    {
        var known = Table().Keys.ToHashSet();
        var constants = typeof(ErrorCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);
        Assert.DoesNotContain(constants, code => code is not (ErrorCodes.Internal or ErrorCodes.SqliteConstraint) && !known.Contains(code));
    }

    [Theory]
    [InlineData("SQLITE_CONSTRAINT_UNIQUE", StatusCode.FailedPrecondition)]
    [InlineData("SQLITE_CONSTRAINT", StatusCode.FailedPrecondition)]
    [InlineData("INTERNAL", StatusCode.Internal)]
    [InlineData("SOMETHING_ELSE", StatusCode.Internal)]
    [InlineData("", StatusCode.Internal)]
    public void Families_and_strangers(string code, StatusCode status) => Assert.Equal(status, ErrorCodes.StatusOf(code));

    [Fact]
    public void What_is_unavailable_did_nothing_and_may_be_tried_again_and_an_unknown_outcome_may_not()
    {
        foreach (var (code, status) in Table())
        {
            Assert.False(status == StatusCode.Unavailable && !ErrorCodes.IsRetryable(code), code);
        }

        Assert.False(ErrorCodes.IsRetryable(ErrorCodes.WriteOutcomeUnknown));
        Assert.NotEqual(StatusCode.Unavailable, ErrorCodes.StatusOf(ErrorCodes.WriteOutcomeUnknown));
    }

    // "//   STATUS   CODE, CODE (words)    STATUS  CODE": statuses are the names of gRPC, all other names in capitals are codes.
    private static Dictionary<string, StatusCode> Table()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ReplicatedSqlite.sln")))
        {
            folder = folder.Parent!;
        }

        var lines = File.ReadLines(Path.Combine(folder.FullName, "proto", "replicatedsqlite", "v1", "query.proto"));
        var statuses = Enum.GetValues<StatusCode>().ToDictionary(status => Snake(status.ToString()));
        var table = new Dictionary<string, StatusCode>();
        var current = StatusCode.OK;
        foreach (var line in lines.SkipWhile(line => !line.Contains("Codes:", StringComparison.Ordinal)).Skip(1).TakeWhile(line => line.StartsWith("//", StringComparison.Ordinal)))
        {
            foreach (Match word in Name().Matches(Parentheses().Replace(line, "")))
            {
                if (statuses.TryGetValue(word.Value, out var status))
                {
                    current = status;
                }
                else if (!word.Value.EndsWith('_'))
                {
                    table[word.Value] = current; // "SQLITE_CONSTRAINT_*" is a family, and is tested by itself
                }
            }
        }

        return table;
    }

    private static string Snake(string name) => Capital().Replace(name, "_$0").TrimStart('_').ToUpperInvariant();

    [GeneratedRegex("[A-Z][A-Z_]+")]
    private static partial Regex Name();

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex Parentheses();

    [GeneratedRegex("(?<=[a-z])[A-Z]")]
    private static partial Regex Capital();
}
