using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>The engine's and the tests' assemblies a second time in this process, on a SQLite without our patches.</summary>
internal sealed class UnpatchedSqlite : AssemblyLoadContext
{
    private static readonly string[] _copied = [typeof(SqliteConnection).Assembly.GetName().Name!, typeof(UnpatchedSqlite).Assembly.GetName().Name!];

    private UnpatchedSqlite()
        : base(nameof(UnpatchedSqlite))
    {
    }

    /// <summary>Runs a static method without arguments that returns text.</summary>
    public static string Run(Type type, string method)
    {
        var context = new UnpatchedSqlite();
        var engine = context.LoadFromAssemblyName(typeof(SqliteConnection).Assembly.GetName());
        var library = NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "unpatched", "libe_sqlite3.so"));
        Assert.False(NativeLibrary.TryGetExport(library, "sqlite3_stmt_row_counts", out _));
        NativeLibrary.SetDllImportResolver(engine, (_, _, _) => library);
        var tests = context.LoadFromAssemblyName(typeof(UnpatchedSqlite).Assembly.GetName());
        return (string)tests.GetType(type.FullName!, throwOnError: true)!.GetMethod(method, BindingFlags.Public | BindingFlags.Static)!.Invoke(null, null)!;
    }

    protected override Assembly? Load(AssemblyName assemblyName) => _copied.Contains(assemblyName.Name)
        ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll"))
        : null;
}
