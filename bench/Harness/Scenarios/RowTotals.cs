namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What rows came to: whoever has read every value of the same rows has the same.</summary>
internal readonly record struct RowTotals(long Rows, long Integers, double Reals, long Letters)
{
    public RowTotals Add(long id, long number, double real, string name, string note) =>
        new(Rows + 1, Integers + id + number, Reals + real, Letters + name.Length + note.Length);
}
