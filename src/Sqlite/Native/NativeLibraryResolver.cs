using System.Reflection;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Points the name <c>e_sqlite3</c> at the pinned build that lies beside the program.</summary>
public static class NativeLibraryResolver
{
    private const string Name = "e_sqlite3";
    private static readonly Lock _gate = new();
    private static nint _library; // written under _gate, once

    /// <summary>Resolves <c>e_sqlite3</c> for this assembly. Called before the first native call; harmless when repeated.</summary>
    internal static void Register()
    {
        try
        {
            RegisterFor(typeof(NativeLibraryResolver).Assembly);
        }
        catch (InvalidOperationException)
        {
            // The host has set a resolver of its own for this assembly: its choice stands, and the version gate still looks at it.
        }
    }

    /// <summary>Resolves <c>e_sqlite3</c> for another assembly, so that one process never holds two SQLite libraries on one file.</summary>
    public static void RegisterFor(Assembly assembly) => NativeLibrary.SetDllImportResolver(
        assembly,
        static (name, _, _) => name == Name ? Load() : nint.Zero);

    private static nint Load()
    {
        lock (_gate)
        {
            if (_library == 0)
            {
                var path = Path.Combine(AppContext.BaseDirectory, "libe_sqlite3.so");
                if (!NativeLibrary.TryLoad(path, out _library))
                {
                    throw new DllNotFoundException(
                        $"The pinned SQLite was not found at '{path}'. Build it with native/build.sh and build the program again.");
                }
            }

            return _library;
        }
    }
}
