namespace ReplicatedSqlite.Node;

/// <summary>What is wrong with a configuration: one thing.</summary>
/// <param name="Text">What was found and where, what was wanted, what to do.</param>
internal sealed record SettingFault(string Text)
{
    /// <summary>A value that cannot be read.</summary>
    public static SettingFault Value(Setting setting, string source, string text) =>
        new($"{setting.Key} ({source}) is {(setting.IsSecret ? "not usable" : $"'{Shorten(text)}'")}; wanted: {setting.Wanted}.");

    /// <summary>A name that is no setting's.</summary>
    public static SettingFault Unknown(string name, string source, IEnumerable<string> known) => new(
        NearestName.Of(name, known) is { } nearest
            ? $"'{Shorten(name)}' ({source}) is no setting. Is '{nearest}' meant?"
            : $"'{Shorten(name)}' ({source}) is no setting. docs/configuration.md names all of them.");

    /// <summary>A setting that must be set.</summary>
    public static SettingFault Missing(Setting setting) =>
        new($"{setting.Key} is not set ({setting.Meaning}); wanted: {setting.Wanted}. Set it in the file, by {setting.Variable} or by {setting.Option}.");

    private static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");
}
