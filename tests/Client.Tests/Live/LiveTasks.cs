using System.Collections;
using System.Reflection;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>The asynchronous methods of an assembly that have begun and not ended, as a debugger sees them: the runtime keeps a table of them when it is told to.</summary>
internal sealed class LiveTasks : IDisposable
{
    private static readonly FieldInfo _isOn = Field("s_asyncDebuggingEnabled");
    private static readonly FieldInfo _table = Field("s_currentActiveTasks");

    private readonly Assembly _assembly;

    public LiveTasks(Assembly assembly)
    {
        _assembly = assembly;
        _isOn.SetValue(null, true);
    }

    public string[] Names()
    {
        if (_table.GetValue(null) is not IDictionary table) return [];
        Task[] tasks;
        lock (table) tasks = [.. table.Values.Cast<Task>()];
        return [.. tasks.Where(task => !task.IsCompleted).SelectMany(task => task.GetType().GetGenericArguments()).Where(argument => argument.Assembly == _assembly).Select(argument => argument.FullName!)];
    }

    public void Dispose() => _isOn.SetValue(null, false);

    private static FieldInfo Field(string name) =>
        typeof(Task).GetField(name, BindingFlags.NonPublic | BindingFlags.Static) ?? throw new InvalidOperationException($"This runtime's Task has no {name}; the test needs another way to see tasks.");
}
