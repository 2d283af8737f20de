using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;

namespace ReplicatedSqlite.Client.Tests;

public sealed class PackageTests(LiveCluster cluster)
{
    private static readonly string _root = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;

    [Fact]
    public async Task The_packages_are_restored_from_a_folder_and_work_in_an_application()
    {
        var folder = Directory.CreateTempSubdirectory("rs-pack-").FullName;
        try
        {
            var feed = Path.Combine(folder, "feed");
            foreach (var project in (string[])["src/Client", "src/Client.AspNetCore"])
                await RunAsync(folder, "pack", Path.Combine(_root, project), "-c", "Release", "--no-build", "-o", feed, "-v", "q", "--nologo");
            var version = CheckContents(feed);
            await File.WriteAllTextAsync(Path.Combine(folder, "NuGet.Config"), $"""
                <configuration><packageSources><add key="folder" value="{feed}" /></packageSources>
                <packageSourceMapping><packageSource key="folder"><package pattern="ReplicatedSqlite*" /></packageSource><packageSource key="nuget.org"><package pattern="*" /></packageSource></packageSourceMapping></configuration>
                """);
            await File.WriteAllTextAsync(Path.Combine(folder, "App.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
                <ItemGroup><PackageReference Include="ReplicatedSqlite.AspNetCore" Version="{version}" /></ItemGroup></Project>
                """);
            await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), """
                using ReplicatedSqlite;
                using ReplicatedSqlite.AspNetCore;
                var services = new ServiceCollection().AddReplicatedSqlite(args[0]).BuildServiceProvider();
                await using var scope = services.CreateAsyncScope();
                var session = scope.ServiceProvider.GetRequiredService<Session>();
                Console.WriteLine("answer " + await session.Prepare("SELECT 6 * ?").Bind(7).FirstAsync<long>());
                """);
            var packages = Path.Combine(folder, "packages"); // what is packed here must not stay in the machine's cache
            var cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            await RunAsync(folder, "build", "-c", "Release", "-o", Path.Combine(folder, "out"), "-v", "q", "--nologo", $"-p:RestorePackagesPath={packages}", $"-p:RestoreFallbackFolders={cache}");
            Assert.Contains("answer 42", await RunAsync(folder, Path.Combine(folder, "out", "App.dll"), await cluster.ConnectionStringAsync()), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string CheckContents(string feed)
    {
        var client = Directory.GetFiles(feed, "ReplicatedSqlite.?.*.nupkg").Single();
        Assert.Equal(2, Directory.GetFiles(feed, "*.snupkg").Length);
        using (var package = ZipFile.OpenRead(client))
        {
            var names = package.Entries.Select(entry => entry.FullName).ToHashSet();
            foreach (var part in (string[])["Client", "Grpc", "Protocol"])
            {
                Assert.Contains($"lib/net10.0/ReplicatedSqlite.{part}.dll", names);
                Assert.Contains($"lib/net10.0/ReplicatedSqlite.{part}.xml", names);
            }

            Assert.Contains("README.md", names);
            Assert.DoesNotContain(names, name => name.EndsWith(".so", StringComparison.Ordinal) || name.Contains("runtimes", StringComparison.Ordinal) || name.Contains("Sqlite.Sqlite", StringComparison.Ordinal));
        }

        using (var symbols = ZipFile.OpenRead(Path.ChangeExtension(client, ".snupkg"))) Assert.Contains(symbols.Entries, entry => entry.Name == "ReplicatedSqlite.Grpc.pdb");
        return Path.GetFileNameWithoutExtension(client)["ReplicatedSqlite.".Length..];
    }

    private static async Task<string> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output}\n{await errors}");
        return await output;
    }
}
