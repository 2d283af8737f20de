using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>What was typed before: in a file for the next time, if there is one. Statements of several lines are one entry.</summary>
internal sealed class History
{
    public const string FileVariable = "RSQL_HISTORY";
    private const int MaxEntries = 1000;
    private const int MaxLength = 16 * 1024; // of one entry: a dump that was pasted is not worth keeping

    private readonly List<string> _entries = []; // the newest is the last
    private readonly string? _path;
    private int _at; // of the entry that is shown; behind the last one: what is being typed
    private string _typed = "";

    /// <param name="path">Where it is kept; <see langword="null"/>: nowhere.</param>
    public History(string? path)
    {
        _path = path;
        try
        {
            if (path is not null && File.Exists(path)) _entries.AddRange(File.ReadLines(path).TakeLast(MaxEntries).Select(Unescape));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _path = null; // a shell without a memory is better than none
        }

        _at = _entries.Count;
    }

    public IReadOnlyList<string> Entries => _entries;

    /// <summary>The file that the environment asks for: its own variable, else where programs of the user keep their state.</summary>
    public static string? PathOf(Func<string, string?> environment)
    {
        if (environment(FileVariable) is { } own) return own.Length == 0 ? null : own;
        if (environment("XDG_STATE_HOME") is { Length: > 0 } state) return Path.Combine(state, "rsql", "history");
        return environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".local", "state", "rsql", "history") : null;
    }

    /// <summary>Remembers a statement, unless it begins with a blank, for those that are nobody's business.</summary>
    public void Add(string entry)
    {
        entry = entry.TrimEnd();
        var isWorthIt = entry.Length is > 0 and <= MaxLength && entry[0] is not (' ' or '\t') && (_entries.Count == 0 || _entries[^1] != entry);
        if (isWorthIt)
        {
            _entries.Add(entry);
            if (_entries.Count > MaxEntries) _entries.RemoveAt(0);
            Append(entry);
        }

        _at = _entries.Count;
    }

    /// <summary>The one before the one that is shown.</summary>
    public string? Older(string shown)
    {
        if (_at == 0) return null;
        if (_at == _entries.Count) _typed = shown;
        return _entries[--_at];
    }

    /// <summary>The one after it; at last what was being typed.</summary>
    public string? Newer()
    {
        if (_at == _entries.Count) return null;
        return ++_at == _entries.Count ? _typed : _entries[_at];
    }

    // Others may be typing too, so that lines are only ever added; once in a while the file is cut.
    private void Append(string entry)
    {
        if (_path is null) return;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; // values stand in it
            using (var file = new StreamWriter(_path, options)) file.Write(Escape(entry) + "\n");
            if (new FileInfo(_path).Length > (long)MaxEntries * MaxLength / 8) File.WriteAllLines(_path, _entries.Select(Escape));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is remembered until the shell ends.
        }
    }

    private static string Escape(string entry) => entry.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal);

    private static string Unescape(string line)
    {
        var text = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\' && i + 1 < line.Length) text.Append(line[++i] == 'n' ? '\n' : line[i]);
            else text.Append(line[i]);
        }

        return text.ToString();
    }
}
