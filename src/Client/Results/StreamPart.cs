using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite;

/// <summary>A piece of a streamed answer. For each statement in order: a start, rows, an end; then <see cref="StreamDone"/>.</summary>
public abstract record StreamPart;

/// <summary>A statement's result begins.</summary>
/// <param name="StatementIndex">Which statement, from 0.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Bookmark">Of the snapshot that is read; null when the transaction writes.</param>
public sealed record ResultStart(int StatementIndex, ResultColumns Columns, Bookmark? Bookmark) : StreamPart;

/// <summary>Rows of a statement's result.</summary>
/// <param name="StatementIndex">Which statement, from 0.</param>
/// <param name="Rows">Some rows.</param>
public sealed record ResultRows(int StatementIndex, Rows Rows) : StreamPart;

/// <summary>A statement's result is complete.</summary>
/// <param name="StatementIndex">Which statement, from 0.</param>
/// <param name="Meta">What the statement did.</param>
public sealed record ResultEnd(int StatementIndex, StatementMeta Meta) : StreamPart;

/// <summary>The transaction is complete; nothing follows.</summary>
/// <param name="Bookmark">At or after what was read or written.</param>
/// <param name="Served">Who answered.</param>
/// <param name="Replayed">The answer of an earlier call under the same idempotency key.</param>
public sealed record StreamDone(Bookmark Bookmark, ServedBy Served, bool Replayed) : StreamPart;
