using System.Globalization;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>What a reader must see in <see cref="LedgerWorkload"/>'s database: a whole prefix of the transactions, never older than the last look.</summary>
internal sealed class PrefixReader(string name)
{
    public const string Query =
        "SELECT (SELECT coalesce(sum(n), -1) FROM account), (SELECT coalesce(max(seq), 0) FROM log), (SELECT count(*) FROM log), (SELECT seq FROM state)";

    private long _last;

    public int Looks { get; private set; }

    /// <param name="confirmedBefore">Confirmed before the look began: it must show.</param>
    /// <param name="confirmedAfter">Nothing above what was being confirmed when the look had ended may show.</param>
    public void Check(long confirmedBefore, long confirmedAfter, long sum, long newest, long count, long state)
    {
        Assert.True(
            sum == LedgerWorkload.Total && newest == state && count == state && state >= _last && state >= confirmedBefore && state <= confirmedAfter,
            string.Create(CultureInfo.InvariantCulture, $"{name} saw sum {sum}, log {newest} with {count} rows, state {state}; before it {_last}; confirmed {confirmedBefore} to {confirmedAfter}"));
        _last = state;
        Looks++;
    }
}
