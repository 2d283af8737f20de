namespace ReplicatedSqlite.Node;

/// <summary>The settings of a node that came from somewhere, read and checked one by one; the later source wins.</summary>
internal sealed class SettingValues
{
    private readonly Dictionary<string, (object Value, string Source)> _values = [];

    /// <summary>Puts together what the file, the environment and the options say; an option wins over a variable, a variable over the file.</summary>
    /// <param name="settings">All that there are.</param>
    /// <param name="texts">From the weakest source to the strongest.</param>
    /// <param name="faults">Whatever is wrong is added.</param>
    public SettingValues(IReadOnlyList<Setting> settings, IEnumerable<SettingText> texts, List<SettingFault> faults)
    {
        var known = settings.ToDictionary(static setting => setting.Key);
        foreach (var text in texts)
        {
            if (!known.TryGetValue(text.Key, out var setting))
            {
                faults.Add(SettingFault.Unknown(text.Key, text.Source, known.Keys));
            }
            else if (setting.TryRead(text.Text.Trim(), out var value))
            {
                _values[text.Key] = (value, text.Source);
            }
            else
            {
                faults.Add(SettingFault.Value(setting, text.Source, text.Text));
            }
        }
    }

    /// <summary>Where a setting came from; <see langword="null"/> if nobody set it.</summary>
    public string? SourceOf(Setting setting) => _values.TryGetValue(setting.Key, out var found) ? found.Source : null;

    /// <summary>Whether somebody set it.</summary>
    public bool Has(Setting setting) => _values.ContainsKey(setting.Key);

    /// <summary>The value, or the default.</summary>
    public T? Get<T>(Setting<T> setting)
        where T : notnull => _values.TryGetValue(setting.Key, out var found) ? (T)found.Value : setting.Default;

    /// <summary>As an operator would write it; secrets hidden.</summary>
    public string? TextOf(Setting setting) => !_values.TryGetValue(setting.Key, out var found)
        ? setting.DefaultText
        : setting.IsSecret ? "(hidden)" : setting.WriteObject(found.Value);
}
