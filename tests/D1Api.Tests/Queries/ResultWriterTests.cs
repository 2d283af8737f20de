using System.Text;
using System.Text.Json;
using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>Rows as D1 sends them.</summary>
public sealed class ResultWriterTests
{
    [Fact]
    public void Values_are_written_as_D1_does()
    {
        var response = Response(
            ["a", "b"],
            2,
            new ColumnData { Types_ = ByteString.CopyFrom(1, 0), Integers = { long.MaxValue } },
            new ColumnData { Types_ = ByteString.CopyFrom(4, 3), Blobs = { ByteString.CopyFrom(0, 255) }, Texts = { "é\"<" } });
        Assert.Equal("""[{"a":9223372036854775807,"b":[0,255]},{"a":null,"b":"é\"<"}]""", Results(response, raw: false));
        Assert.Equal("""{"columns":["a","b"],"rows":[[9223372036854775807,[0,255]],[null,"é\"<"]]}""", Results(response, raw: true));
        Assert.Contains("\"9223372036854775807\"", Results(response, raw: true, integersAsText: true), StringComparison.Ordinal);
    }

    [Fact]
    public void What_JSON_cannot_hold_becomes_null_and_broken_text_is_mended()
    {
        var response = Response(
            ["r", "t"],
            2,
            new ColumnData { Types_ = ByteString.CopyFrom(2, 2), Reals = { double.PositiveInfinity, 1 } },
            new ColumnData { Types_ = ByteString.CopyFrom(5, 5), Blobs = { ByteString.CopyFrom((byte)'a', 0xff), ByteString.Empty } });
        Assert.Equal("[{\"r\":null,\"t\":\"a\ufffd\"},{\"r\":1,\"t\":\"\"}]", Results(response, raw: false));
    }

    [Fact]
    public void Of_columns_with_one_name_an_object_keeps_the_last_and_raw_keeps_all()
    {
        var response = Response(
            ["a", "b", "a"],
            1,
            new ColumnData { Types_ = ByteString.CopyFrom(1), Integers = { 1 } },
            new ColumnData { Types_ = ByteString.CopyFrom(1), Integers = { 2 } },
            new ColumnData { Types_ = ByteString.CopyFrom(1), Integers = { 3 } });
        Assert.Equal("""[{"a":3,"b":2}]""", Results(response, raw: false));
        Assert.Equal("""{"columns":["a","b","a"],"rows":[[1,2,3]]}""", Results(response, raw: true));
    }

    [Fact]
    public void Without_rows_there_are_the_columns_all_the_same()
    {
        Assert.Equal("""{"columns":["a"],"rows":[]}""", Results(Response(["a"], 0), raw: true));
        Assert.Equal("[]", Results(Response(["a"], 0), raw: false));
        Assert.Equal("""{"columns":[],"rows":[]}""", Results(Response([], 0), raw: true));
    }

    [Theory]
    [InlineData(false, """[{"name":"t","n":1},{"name":"u","n":3}]""")]
    [InlineData(true, """{"columns":["name","n"],"rows":[["t",1],["u",3]]}""")]
    public void What_is_told_of_the_schema_leaves_the_servers_own_tables_out(bool raw, string wanted)
    {
        var response = Response(["name", "n"], 3, new ColumnData { Types_ = ByteString.CopyFrom(3, 3, 3), Texts = { "t", "_rs_requests", "u" } }, new ColumnData { Types_ = ByteString.CopyFrom(1, 1, 1), Integers = { 1, 2, 3 } });
        Assert.Equal(wanted, Results(response, raw, hidesServersNames: true));
        Assert.Contains("_rs_requests", Results(response, raw), StringComparison.Ordinal);
        Assert.True(SchemaRows.AreAskedBy(new ExecuteRequest { Statements = { new Statement { Sql = "SELECT 1" }, new Statement { Sql = "SELECT name FROM SQLite_Master" } } }));
        Assert.False(SchemaRows.AreAskedBy(new ExecuteRequest { Statements = { new Statement { Sql = "SELECT name FROM t" } } }));
    }

    private static ExecuteResponse Response(string[] names, uint rows, params ColumnData[] columns)
    {
        var result = new Result { Rows = new RowBatch { RowCount = rows }, Meta = new Meta { SizeAfter = 8192 } };
        result.Columns.AddRange(names.Select(name => new ColumnInfo { Name = name }));
        result.Rows.Columns.AddRange(columns);
        return new ExecuteResponse { Results = { result }, Bookmark = "b" };
    }

    private static string Results(ExecuteResponse response, bool raw, bool integersAsText = false, bool hidesServersNames = false)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            new ResultWriter(response, raw, integersAsText, hidesServersNames).Write(json);
        }

        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(bytes.ToArray()));
        Assert.Equal("b", document.RootElement[0].GetProperty("meta").GetProperty("bookmark").GetString());
        return document.RootElement[0].GetProperty("results").GetRawText();
    }
}
