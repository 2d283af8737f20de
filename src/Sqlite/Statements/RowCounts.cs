using System.Runtime.CompilerServices;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The rows that a statement reads and writes, its triggers included, counted inside SQLite.</summary>
/// <remarks>What counts is said in <c>native/0001-row-counters.patch</c>. With a SQLite that lacks the patch the fields stay absent.</remarks>
public static unsafe class RowCounts
{
    /// <summary>Whether the SQLite in this process counts.</summary>
    public static bool AreAvailable { get; } = Probe();

    /// <summary>Before the first step: the counters may still have what an earlier run, perhaps one that failed, has left.</summary>
    internal static void Reset(nint statement)
    {
        if (AreAvailable)
        {
            Call(statement, null, null, 1);
        }
    }

    /// <summary>After the last step: the counts since <see cref="Reset"/>.</summary>
    internal static void Report(nint statement, Meta meta)
    {
        if (AreAvailable)
        {
            long read;
            long written;
            Call(statement, &read, &written, 0);
            meta.RowsRead = read;
            meta.RowsWritten = written;
        }
    }

    private static bool Probe()
    {
        try
        {
            Call(0, null, null, 0); // refuses the null pointer, and touches nothing
            return true;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    // Never inlined: the runtime looks for the function when it compiles its caller, so that one must not be compiled where the function is missing.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Call(nint statement, long* read, long* written, int reset) => _ = NativeMethods.fast_stmt_row_counts(statement, read, written, reset);
}
