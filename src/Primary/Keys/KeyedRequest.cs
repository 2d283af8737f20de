using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>A request with an idempotency key, in a group of writes: looks first whether it ran already.</summary>
/// <remarks>A group may run its members again, so what is found is what the last look found.</remarks>
/// <param name="key">The key.</param>
/// <param name="requestHash">Of the request.</param>
/// <param name="cutoff">Rows of commits before this do not count, in microseconds since 1970.</param>
/// <param name="store">How the outcome is kept.</param>
internal sealed class KeyedRequest(string key, byte[] requestHash, Func<long> cutoff, Func<MemberOutcome, byte[]?> store) : IMemberSteps
{
    private bool _replaces;

    public string Key { get; } = key;

    /// <summary>It ran before: this is what it came to.</summary>
    public KeyRow? Found { get; private set; }

    public bool Before(OwnerSql sql)
    {
        Found = null;
        _replaces = false;
        if (RequestKeys.Find(sql, Key) is not { } row)
        {
            return true;
        }

        if (row.CommittedAt < cutoff())
        {
            _replaces = true;
            return true;
        }

        if (!row.RequestHash.AsSpan().SequenceEqual(requestHash))
        {
            throw KeyErrors.OfRow(row, Key);
        }

        Found = row;
        return false;
    }

    public void After(OwnerSql sql, MemberOutcome outcome)
    {
        // The row names the write's sequence, which is known when the group is complete.
    }

    /// <summary>The row for a write that stays.</summary>
    public NewKey ToRow(MemberOutcome outcome, ulong sequence) => new(Key, requestHash, sequence, store(outcome), _replaces);
}
