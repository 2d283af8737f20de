using System.Collections;

namespace ReplicatedSqlite.Node;

/// <summary>Reads settings from environment variables.</summary>
internal static class EnvironmentSettings
{
    /// <summary>The variable with the configuration file's path.</summary>
    public const string ConfigVariable = Setting.VariablePrefix + "CONFIG";

    // A misspelt variable is a fault; a variable of something else that begins with the same letters (a container platform makes some up) is not.
    private const int Misspelling = 2;

    public static IReadOnlyList<SettingText> Read(IDictionary environment, IReadOnlyList<Setting> settings, List<SettingFault> faults)
    {
        var read = new List<SettingText>();
        var byVariable = settings.ToDictionary(static setting => setting.Variable);
        foreach (var name in environment.Keys.Cast<string>().Where(static name => name.StartsWith(Setting.VariablePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            if (byVariable.TryGetValue(name, out var setting))
            {
                read.Add(new(setting.Key, (string?)environment[name] ?? "", name));
            }
            else if (name != ConfigVariable && byVariable.Keys.Any(variable => NearestName.Distance(name, variable) <= Misspelling))
            {
                faults.Add(SettingFault.Unknown(name, "environment", byVariable.Keys));
            }
        }

        return read;
    }
}
