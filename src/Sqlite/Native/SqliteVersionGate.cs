using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Refuses a SQLite with the WAL-reset race, in which a checkpoint beside a commit can lose frames.</summary>
/// <remarks>Source: sqlite.org/wal.html, "The WAL Reset Bug": 3.7.0 to 3.51.2; fixed in 3.51.3 and, as backports, in 3.50.7 and 3.44.6.</remarks>
public static class SqliteVersionGate
{
    /// <summary>The version of the library in this process, e.g. <c>3.53.2</c>.</summary>
    public static unsafe string Version => Marshal.PtrToStringUTF8((nint)NativeMethods.sqlite3_libversion())!;

    /// <summary>Whether a version number, as <c>sqlite3_libversion_number()</c> gives it, has the race.</summary>
    public static bool HasWalResetRace(int version) => version switch
    {
        < 3_007_000 => false, // before WAL
        >= 3_051_003 => false,
        >= 3_050_007 and < 3_051_000 => false,
        >= 3_044_006 and < 3_045_000 => false,
        _ => true,
    };

    /// <summary>Checks the library in this process.</summary>
    /// <exception cref="NotSupportedException">It has the race, or was built so that it cannot serve here.</exception>
    public static void Check(bool allowUnfixed = false)
    {
        var version = NativeMethods.sqlite3_libversion_number();
        if (HasWalResetRace(version) && !allowUnfixed)
        {
            throw new NotSupportedException(
                $"SQLite {Version} has the WAL-reset race, which can lose committed data. Build the pinned version with native/build.sh, " +
                "or set AllowUnfixedSqlite to run with it all the same.");
        }

        if (NativeMethods.sqlite3_threadsafe() == 0)
        {
            throw new NotSupportedException($"SQLite {Version} was built with SQLITE_THREADSAFE=0. Build the pinned version with native/build.sh.");
        }
    }
}
