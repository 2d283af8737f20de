using System.Diagnostics;
using System.Reflection;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The shell, as a process of its own.</summary>
internal static class RsqlProcess
{
    /// <summary>The built program.</summary>
    public static string Program { get; } =
        typeof(RsqlProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RsqlProgram").Value!;

    public static Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        RunAsync("dotnet", ["exec", Program, .. arguments]);

    public static async Task<(int Code, string Output, string Errors)> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().InTimeAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output, await errors);
    }
}
