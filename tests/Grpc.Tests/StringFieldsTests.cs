using Google.Protobuf;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class StringFieldsTests
{
    private static readonly StringFields Execute = StringFields.Of(ExecuteRequest.Descriptor);

    [Fact]
    public void Text_of_any_script_and_blobs_of_any_bytes_are_fine()
    {
        var request = new ExecuteRequest { Database = "größe", Statements = { new Statement { Sql = "SELECT '😈'" } } };
        request.Statements[0].Positional.Add(new Value { Blob = ByteString.CopyFrom(0xff, 0xfe, 0xc3) });
        request.Statements[0].Positional.Add(new Value { Integer = long.MinValue });
        request.Statements[0].Named.Add(":größe", new Value { Text = new string('ü', 1000) });
        Assert.Null(Execute.FindInvalid(request.ToByteArray()));
    }

    [Theory]
    [InlineData("database", "ExecuteRequest.database")]
    [InlineData("sql", "Statement.sql")]
    [InlineData("text", "Value.text")]
    [InlineData("name", "Statement.NamedEntry.key")]
    [InlineData("named", "Value.text")]
    [InlineData("session", "ReadOptions.session")]
    public void A_bad_byte_is_found_wherever_it_is(string marker, string field)
    {
        var request = new ExecuteRequest
        {
            Database = "database!",
            Read = new ReadOptions { Session = "session!" },
            Statements = { new Statement { Sql = "sql!", Positional = { new Value { Text = "text!" } }, Named = { ["name!"] = new Value { Text = "named!" } } } },
        };
        var bytes = request.ToByteArray();
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(marker + "!"));
        bytes[at + marker.Length] = 0x80;
        Assert.Equal("replicatedsqlite.v1." + field, Execute.FindInvalid(bytes));
    }

    [Fact]
    public void Half_a_character_before_a_tag_that_completes_it_is_found()
    {
        // database = "\xC3", then the unknown field 16, whose tag starts with 0x82: as a whole these bytes are valid UTF-8.
        byte[] bytes = [0x0a, 1, 0xc3, 0x82, 0x01, 0];
        Assert.True(System.Text.Unicode.Utf8.IsValid(bytes));
        Assert.Equal("replicatedsqlite.v1.ExecuteRequest.database", Execute.FindInvalid(bytes));
    }

    [Fact]
    public void Fields_after_an_unknown_group_are_still_looked_at()
    {
        byte[] group = [0x9b, 0x06, 0x0a, 1, 0xff, 0x9c, 0x06]; // field 99 as a group that holds something like a bad text
        Assert.Null(Execute.FindInvalid(group));
        Assert.NotNull(Execute.FindInvalid([.. group, 0x0a, 1, 0xff]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4711)]
    public void Random_bytes_never_confuse_it(int seed)
    {
        var random = new Random(seed);
        var valid = new ExecuteRequest { Database = "dü", Statements = { new Statement { Sql = "ö", Positional = { new Value { Text = "ß" } } } } }.ToByteArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = valid.ToArray();
            for (var i = random.Next(4); i >= 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var invalid = Execute.FindInvalid(bytes);
            ExecuteRequest parsed;
            try
            {
                parsed = ExecuteRequest.Parser.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException)
            {
                continue;
            }

            // The oracle: the runtime puts the replacement character where bytes were bad. None of the texts above holds one.
            var replaced = parsed.ToString().Contains('\uFFFD', StringComparison.Ordinal);
            Assert.True(!replaced || invalid is not null, $"seed {seed}, round {round}: {Convert.ToHexString(bytes)}");
        }
    }
}
