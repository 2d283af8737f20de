using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router.Tests;

public class RoutingTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("my-app_2")]
    [InlineData("A123456789012345678901234567890123456789012345678901234567890123")]
    public void A_name(string name) => DatabaseNames.Check(name);

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("_a")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("A1234567890123456789012345678901234567890123456789012345678901234")]
    [InlineData("00112233-4455-6677-8899-aabbccddeeff")]
    [InlineData("00112233445566778899aabbccddeeff")]
    public void No_name(string name) =>
        Assert.Equal(ErrorCodes.InvalidRequest, Assert.Throws<RequestException>(() => DatabaseNames.Check(name)).Error.Code);

    [Fact]
    public void What_is_not_there_is_named_briefly()
    {
        Assert.Equal(ErrorCodes.DatabaseNotFound, DatabaseNames.NotFound("x").Error.Code);
        Assert.Equal(ErrorCodes.InvalidRequest, DatabaseNames.NotFound("").Error.Code);
        Assert.True(DatabaseNames.NotFound(new string('x', 10_000)).Message.Length < 300);
    }

    [Fact]
    public void Admission_lets_in_so_many_and_refuses_the_next_with_a_time_to_come_again()
    {
        var admission = new Admission(2);
        admission.Enter();
        admission.Enter();
        for (var i = 0; i < 10; i++)
        {
            var refused = Assert.Throws<RequestException>(() => admission.Enter());
            Assert.Equal(ErrorCodes.Overloaded, refused.Error.Code);
            Assert.True(refused.Error.Retryable && refused.Error.RetryAfter is not null);
        }

        admission.Leave();
        admission.Enter();
        Assert.Throws<RequestException>(() => admission.Enter());
    }

    [Fact]
    public async Task Admission_counts_right_under_contention()
    {
        var admission = new Admission(4);
        int inside = 0, most = 0, served = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                try
                {
                    admission.Enter();
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    Interlocked.Increment(ref served);
                    Interlocked.Decrement(ref inside);
                    admission.Leave();
                }
                catch (RequestException)
                {
                }
            }
        })));
        Assert.InRange(most, 1, 4);
        Assert.True(served > 0);
        for (var i = 0; i < 4; i++)
        {
            admission.Enter(); // none was lost
        }
    }
}
