using ReplicatedSqlite.Bench.Harness;
using ReplicatedSqlite.Node;

SharedBuffers.KeepMore(); // as a node does
// bench/run SCENARIO [options]; the harness starts itself once more as 'server'.
return await BenchCommand.Create().Parse(args).InvokeAsync();

/// <summary>Named, so that others can find the assembly by it.</summary>
public static partial class Program;
