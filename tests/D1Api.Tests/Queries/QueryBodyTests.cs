using System.Buffers;
using System.Text;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>What clients send to <c>query</c> and <c>raw</c>.</summary>
public sealed class QueryBodyTests
{
    [Fact]
    public void Parameters_keep_their_types_and_arrays_are_blobs()
    {
        var request = Read("""{"sql":"SELECT ?","params":[1, 9007199254740993, -1.5, 1e3, "é\u0000", true, false, null, [0,255,16], []]}""");
        Assert.False(request.Script);
        Assert.Equal(
            [
                new Value { Integer = 1 }, new Value { Integer = 9007199254740993 }, new Value { Real = -1.5 }, new Value { Real = 1000 }, new Value { Text = "é\0" },
                new Value { Integer = 1 }, new Value { Integer = 0 }, new Value(), new Value { Blob = Google.Protobuf.ByteString.CopyFrom(0, 255, 16) }, new Value { Blob = Google.Protobuf.ByteString.Empty },
            ],
            request.Statements.Single().Positional);
    }

    [Theory]
    [InlineData("SELECT 1", false)]
    [InlineData("SELECT 1;", false)]
    [InlineData("SELECT 1 ; \n", false)]
    [InlineData("SELECT ';'", true)] // it may be two: SQLite will say
    [InlineData("SELECT 1; SELECT 2", true)]
    public void Only_what_may_be_several_statements_is_sent_as_such(string sql, bool several) =>
        Assert.Equal(several, Read($"{{\"sql\":{System.Text.Json.JsonSerializer.Serialize(sql)}}}").Script);

    [Fact]
    public void A_batch_is_one_request_in_its_order()
    {
        var request = Read("""{"batch":[{"sql":"a","params":["x"]},{"params":null,"sql":"b","comment":{"deep":[1,{}]}}]}""");
        Assert.Equal(["a", "b"], request.Statements.Select(statement => statement.Sql));
        Assert.Equal("x", request.Statements[0].Positional.Single().Text);
        Assert.False(request.Script);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"sql\":\"  \"}")]
    [InlineData("{\"batch\":[]}")]
    [InlineData("{\"batch\":[{}]}")]
    public void Without_statements_it_says_so(string body) => Refuses(body, ApiCodes.Query, "No SQL statements detected.");

    [Theory]
    [InlineData("[]", "an array")]
    [InlineData("\"SELECT 1\"", "a string")]
    [InlineData("{\"sql\":1}", "a number")]
    [InlineData("{\"sql\":\"a\",\"sql\":\"b\"}", "twice")]
    [InlineData("{\"sql\":\"a\",\"batch\":[]}", "one of the two")]
    [InlineData("{\"sql\":\"a\"} x", "JSON")]
    [InlineData("{\"sql\":\"a\"", "JSON")]
    [InlineData("{\"sql\":\"\\ud800\"}", "JSON")]
    [InlineData("{\"batch\":{}}", "an object")]
    [InlineData("{\"sql\":\"a\",\"params\":{}}", "an object")]
    [InlineData("{\"x\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", "JSON")]
    public void What_is_not_of_the_shape_is_refused_by_name(string body, string word) => Refuses(body, ApiCodes.InvalidProperty, word);

    [Theory]
    [InlineData("[1e999]", "beyond")]
    [InlineData("[{}]", "object")]
    [InlineData("[[256]]", "0 to 255")]
    [InlineData("[[\"a\"]]", "0 to 255")]
    [InlineData("[[1.5]]", "0 to 255")]
    public void What_no_value_of_SQLite_can_hold_is_refused(string parameters, string word) => Refuses($"{{\"sql\":\"SELECT ?\",\"params\":{parameters}}}", ApiCodes.Query, word);

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused()
    {
        var body = "{\"sql\":\"SELECT '?'\"}"u8.ToArray();
        body[Array.IndexOf(body, (byte)'?')] = 0xff;
        Assert.Equal(ApiCodes.InvalidProperty, Assert.Throws<ApiException>(() => QueryBody.Read(new ReadOnlySequence<byte>(body))).Code);
    }

    private static ExecuteRequest Read(string body) => QueryBody.Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)));

    private static void Refuses(string body, int code, string word)
    {
        var refused = Assert.Throws<ApiException>(() => Read(body));
        Assert.Equal((400, code), (refused.Status, refused.Code));
        Assert.Contains(word, refused.Message, StringComparison.Ordinal);
    }
}
