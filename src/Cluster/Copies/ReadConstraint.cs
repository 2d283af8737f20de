using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a call's session asks of the copy that answers it.</summary>
public enum ReadConstraintKind
{
    /// <summary>No session: the primary answers.</summary>
    Primary,

    /// <summary>The session begins at the primary.</summary>
    FirstPrimary,

    /// <summary>The session begins anywhere, however old.</summary>
    FirstUnconstrained,

    /// <summary>A copy that has reached the bookmark.</summary>
    AtLeast,
}

/// <summary>A call's <c>ReadOptions</c>, checked once where it came in.</summary>
/// <param name="Kind">Which copies may answer.</param>
/// <param name="Bookmark">For <see cref="ReadConstraintKind.AtLeast"/>.</param>
/// <param name="WaitTimeout">Longest wait for the bookmark.</param>
/// <param name="FailOnTimeout">Fail when that time is over, instead of going to the primary.</param>
/// <param name="MaxStaleness">Longest time since the copy's last proof from the primary.</param>
/// <param name="Caller">Who asks.</param>
public readonly record struct ReadConstraint(
    ReadConstraintKind Kind, Bookmark Bookmark, TimeSpan WaitTimeout, bool FailOnTimeout, TimeSpan? MaxStaleness, Caller Caller)
{
    /// <summary>The call itself, told where it stands; <see langword="null"/> when nobody looks.</summary>
    public RunningQuery? Query { get; init; }

    /// <summary>Another node asks this one's replica: it answers from its copy, or not at all.</summary>
    public bool IsPassedOn { get; init; }

    /// <summary>The longest wait that a caller may ask for.</summary>
    public static readonly TimeSpan MaxWaitTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Only the primary may answer.</summary>
    public bool WantsPrimary => Kind is ReadConstraintKind.Primary or ReadConstraintKind.FirstPrimary;

    /// <summary>Reads the options of a call.</summary>
    /// <param name="options">May be unset: then the primary answers.</param>
    /// <param name="database">Whose bookmarks are good here.</param>
    /// <param name="defaultWait">When the caller names no time limit.</param>
    /// <param name="caller">Who asks.</param>
    /// <exception cref="RequestException">The session is no constraint and no bookmark of this database, or a duration is negative.</exception>
    public static ReadConstraint Parse(ReadOptions? options, DatabaseId database, TimeSpan defaultWait, Caller caller)
    {
        if (options is null)
        {
            return new(ReadConstraintKind.Primary, default, defaultWait, false, null, caller);
        }

        var wait = options.WaitTimeout is { } asked ? Positive(Durations.Read(asked, "wait_timeout"), "wait_timeout") : defaultWait;
        TimeSpan? staleness = options.MaxStaleness is { } limit ? Positive(Durations.Read(limit, "max_staleness"), "max_staleness") : null;
        var (kind, bookmark) = ParseSession(options.Session, database);
        return new(kind, bookmark, wait < MaxWaitTimeout ? wait : MaxWaitTimeout, options.OnWaitTimeout == OnWaitTimeout.Fail, staleness, caller);
    }

    private static (ReadConstraintKind Kind, Bookmark Bookmark) ParseSession(string session, DatabaseId database)
    {
        switch (session)
        {
            case "":
                return (ReadConstraintKind.Primary, default);
            case "first-primary":
                return (ReadConstraintKind.FirstPrimary, default);
            case "first-unconstrained":
                return (ReadConstraintKind.FirstUnconstrained, default);
        }

        if (!Bookmark.TryParse(session, out var bookmark))
        {
            throw new RequestException(
                ErrorCodes.BookmarkMalformed,
                $"'{Shorten(session)}' is no session. A bookmark (42 characters, lowercase), \"first-primary\" or \"first-unconstrained\" is wanted.");
        }

        if (bookmark != Bookmark.Start && bookmark.DatabaseTag != database.Tag)
        {
            throw new RequestException(
                ErrorCodes.BookmarkForeign, $"The bookmark {session} belongs to another database. Begin a new session for this one, with \"first-primary\".");
        }

        return (ReadConstraintKind.AtLeast, bookmark);
    }

    private static TimeSpan Positive(TimeSpan value, string name) => value >= TimeSpan.Zero
        ? value
        : throw new RequestException(ErrorCodes.InvalidRequest, $"{name} is {value.TotalSeconds} s; it must not be negative.");

    private static string Shorten(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "…");
}
