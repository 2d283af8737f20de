namespace ReplicatedSqlite.EndToEnd;

/// <summary>A disk of its own for one node's folder, in memory and small enough to be filled. Needs root.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Megabytes = 384;
    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Filler => Path.Combine(_folder, "filler");

    public static async Task<SmallDisk> MountAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Megabytes}m", "rs-chaos", folder);
        return new SmallDisk(folder);
    }

    /// <summary>Leaves no room.</summary>
    public async Task FillAsync() => await RsqlProcess.RunAsync("dd", ["if=/dev/zero", $"of={Filler}", "bs=64k"]); // ends with "no space left"

    /// <summary>Makes room again.</summary>
    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync() => await RunAsync("umount", "-l", _folder);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var (code, _, errors) = await RsqlProcess.RunAsync(program, arguments);
        if (code != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {code}: {errors}");
        }
    }
}
