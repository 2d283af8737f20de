namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>A log of byte ranges: of each page, what differs from its image before. Position 0 is the new database.</summary>
internal sealed class PatchLog(int pageSizeBytes)
{
    private readonly List<byte[][]> _states = [[DatabaseFile.FirstPage(pageSizeBytes)]];
    private readonly List<List<(uint Page, int Offset, byte[] Bytes)>> _patches = [];

    public int Count => _patches.Count;

    public byte[][] StateAt(int position) => _states[position];

    public void Append(ReplicaPair pair)
    {
        var pages = pair.Pages;
        var old = _states[^1];
        var state = new byte[pages.DatabaseSizePages][];
        for (var i = 0; i < state.Length; i++)
        {
            state[i] = i < old.Length ? old[i] : new byte[pageSizeBytes];
        }

        var patch = new List<(uint, int, byte[])>();
        for (var i = 0; i < pages.Count; i++)
        {
            var number = pages.PageNumber(i);
            Diff(patch, number, state[number - 1], pages.Page(i), isNew: number > old.Length);
            state[number - 1] = pages.Page(i).ToArray();
        }

        _states.Add(state);
        _patches.Add(patch);
    }

    /// <summary>Sets the ranges of the entries behind one position up to another in a main file.</summary>
    public void Replay(string path, int from, int to)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        for (var entry = from; entry < to; entry++)
        {
            foreach (var (page, offset, bytes) in _patches[entry])
            {
                RandomAccess.Write(file, bytes, ((long)(page - 1) * pageSizeBytes) + offset);
            }

            RandomAccess.SetLength(file, (long)_states[entry + 1].Length * pageSizeBytes);
        }

        RandomAccess.SetLength(file, (long)_states[to].Length * pageSizeBytes);
    }

    private static void Diff(List<(uint, int, byte[])> patch, uint number, byte[] before, ReadOnlySpan<byte> after, bool isNew)
    {
        if (isNew)
        {
            patch.Add((number, 0, after.ToArray())); // a receiver has no previous version of it
            return;
        }

        for (var i = 0; i < after.Length; i++)
        {
            var start = i;
            while (i < after.Length && before[i] != after[i])
            {
                i++;
            }

            if (i > start)
            {
                patch.Add((number, start, after[start..i].ToArray()));
            }
        }
    }
}
