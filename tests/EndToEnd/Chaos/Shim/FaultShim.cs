using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What <c>shim.c</c> does to the process of one node: the rate of its clock, and a disk that forgets what was not synced.</summary>
/// <param name="node">The node; it is not running yet.</param>
/// <param name="folder">Holds what the shim notes; outside the node's own.</param>
internal sealed class FaultShim(ProcessNode node, string folder)
{
    private static readonly Lazy<string?> _built = new(Build);

    private readonly string _undo = Path.Combine(folder, $"{node.Id}.undo");
    private readonly string _lie = Path.Combine(folder, $"{node.Id}.lie");

    /// <summary>Why tests that need it are skipped; null where it can be used.</summary>
    public static string? Missing => _built.Value is null ? "There is no C compiler 'gcc' on this machine's PATH, or it cannot build tests/EndToEnd/Chaos/Shim/shim.c." : null;

    /// <summary>Puts it under the node's next process.</summary>
    /// <param name="clockRate">How fast its clocks run.</param>
    /// <param name="slowness">So much longer at most a sync takes; the longer, the more is lost at a power cut.</param>
    public void Load(double clockRate, TimeSpan slowness)
    {
        File.Delete(_undo); // what the last process did not sync has been taken back, or has reached the disk since
        File.Delete(_lie);
        Directory.CreateDirectory(node.Folder);
        node.Environment["LD_PRELOAD"] = Path.Combine(_built.Value!, "libc.so");
        node.Environment["LD_LIBRARY_PATH"] = _built.Value!; // .NET looks for "libc" by itself, and tries "libc.so" first
        node.Environment["RS_SHIM_UNDO"] = _undo;
        node.Environment["RS_SHIM_FOLDER"] = node.Folder;
        node.Environment["RS_SHIM_LIE"] = _lie;
        node.Environment["RS_SHIM_SLOW"] = ((long)slowness.TotalMicroseconds).ToString(CultureInfo.InvariantCulture);
        node.Environment["RS_SHIM_RATE"] = clockRate.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>From now on fsync and fdatasync of the process that runs do nothing, and say that all is well.</summary>
    public void LetSyncsLie() => File.WriteAllText(_lie, "");

    /// <summary>The process was killed: what it had not synced goes, as at a power cut.</summary>
    /// <param name="seed">Which pages had reached the disk all the same.</param>
    /// <param name="keepPercent">How many of them.</param>
    /// <returns>How many pages were put back to what they were, and how many not.</returns>
    public async Task<(long Reverted, long Kept)> CutPowerAsync(int seed, int keepPercent)
    {
        var (code, output, errors) = await RsqlProcess.RunAsync(Path.Combine(_built.Value!, "undo"), [_undo, node.Folder, $"{seed}", $"{keepPercent}"]);
        if (code != 0)
        {
            throw new InvalidOperationException($"The power cut of {node.Id} could not be played: {errors}");
        }

        var words = output.Split(' ');
        return (long.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
    }

    // Once for each version of the source, beside the tests.
    private static string? Build()
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Chaos", "Shim", "shim.c");
        var target = Path.Combine(AppContext.BaseDirectory, "Chaos", "Shim", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(source)).AsSpan(0, 8)));
        if (Directory.Exists(target))
        {
            return target;
        }

        var work = $"{target}.{Environment.ProcessId}";
        Directory.CreateDirectory(work);
        if (!Compile("-shared", "-fPIC", "-o", Path.Combine(work, "libc.so"), source) || !Compile("-DSHIM_TOOL", "-o", Path.Combine(work, "undo"), source))
        {
            return null;
        }

        try
        {
            Directory.Move(work, target);
        }
        catch (IOException) when (Directory.Exists(target))
        {
            Directory.Delete(work, recursive: true); // another process was faster
        }

        return target;
    }

    private static bool Compile(params string[] arguments)
    {
        try
        {
            using var compiler = Process.Start("gcc", ["-O2", "-Wall", "-Wextra", .. arguments]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
