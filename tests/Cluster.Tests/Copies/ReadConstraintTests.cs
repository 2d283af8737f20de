using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster.Tests;

public class ReadConstraintTests
{
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(5);

    [Fact]
    public void Without_options_the_primary_answers() =>
        Assert.Equal(new ReadConstraint(ReadConstraintKind.Primary, default, _wait, false, null, Caller.Anonymous), ReadConstraint.Parse(null, _database, _wait, Caller.Anonymous));

    [Theory]
    [InlineData("", ReadConstraintKind.Primary, true)]
    [InlineData("first-primary", ReadConstraintKind.FirstPrimary, true)]
    [InlineData("first-unconstrained", ReadConstraintKind.FirstUnconstrained, false)]
    public void The_words_that_a_session_begins_with(string session, ReadConstraintKind kind, bool wantsPrimary)
    {
        var constraint = ReadConstraint.Parse(new ReadOptions { Session = session }, _database, _wait, Caller.Anonymous);
        Assert.Equal((kind, wantsPrimary, _wait), (constraint.Kind, constraint.WantsPrimary, constraint.WaitTimeout));
    }

    [Fact]
    public void A_bookmark_of_this_database_is_a_session()
    {
        var bookmark = new Position(3, 4, new ChainHash(5, 6)).ToBookmark(_database);
        Assert.Equal((ReadConstraintKind.AtLeast, bookmark), Session(bookmark.ToString()));
        Assert.Equal((ReadConstraintKind.AtLeast, Bookmark.Start), Session(Bookmark.Start.ToString()));
    }

    [Theory]
    [InlineData("first-Primary", ErrorCodes.BookmarkMalformed)]
    [InlineData(" ", ErrorCodes.BookmarkMalformed)]
    [InlineData("00000001-0000000000000001-00000000000000", ErrorCodes.BookmarkMalformed)]
    [InlineData("00000001-0000000000000001-000000000000000G", ErrorCodes.BookmarkMalformed)]
    [InlineData("00000001-0000000000000001-0000000000000000", ErrorCodes.BookmarkForeign)]
    public void Anything_else_is_refused(string session, string code) =>
        Assert.Equal(code, Assert.Throws<RequestException>(() => Session(session)).Error.Code);

    [Fact]
    public void Waits_are_bounded_and_never_negative()
    {
        Assert.Equal(ReadConstraint.MaxWaitTimeout, Parse(new ReadOptions { WaitTimeout = Seconds(3600) }).WaitTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2), Parse(new ReadOptions { WaitTimeout = Seconds(2) }).WaitTimeout);
        Assert.True(Parse(new ReadOptions { OnWaitTimeout = OnWaitTimeout.Fail }).FailOnTimeout);
        Assert.Equal(TimeSpan.Zero, Parse(new ReadOptions { MaxStaleness = Seconds(0) }).MaxStaleness);
        foreach (var wrong in (ReadOptions[])[new() { WaitTimeout = Seconds(-1) }, new() { MaxStaleness = Seconds(-1) }])
        {
            Assert.Equal(ErrorCodes.InvalidRequest, Assert.Throws<RequestException>(() => Parse(wrong)).Error.Code);
        }
    }

    private static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private static ReadConstraint Parse(ReadOptions options) => ReadConstraint.Parse(options, _database, _wait, Caller.Anonymous);

    private static (ReadConstraintKind, Bookmark) Session(string session)
    {
        var constraint = Parse(new ReadOptions { Session = session });
        return (constraint.Kind, constraint.Bookmark);
    }
}
