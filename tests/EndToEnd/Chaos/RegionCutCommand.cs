namespace ReplicatedSqlite.EndToEnd;

/// <summary><c>./test cut-off</c>: <see cref="RegionCutStory"/> over simulated regions.</summary>
internal static class RegionCutCommand
{
    public static async Task<int> RunAsync()
    {
        if (RegionsNetwork.Missing is { } missing)
        {
            Console.Error.WriteLine(missing);
            return 2;
        }

        var (network, code) = await RegionsNetwork.EnterAsync(["cut-off"], Console.WriteLine);
        if (network is null)
        {
            return code;
        }

        try
        {
            await RegionCutStory.TellAsync(network, Console.WriteLine);
            Console.WriteLine("1 passed, 0 failed");
            return 0;
        }
        catch (Exception failure)
        {
            Console.WriteLine($"{failure}\n0 passed, 1 failed");
            return 1;
        }
    }
}
