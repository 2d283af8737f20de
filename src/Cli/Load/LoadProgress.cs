using Spectre.Console;

namespace ReplicatedSqlite.Cli;

/// <summary>A progress bar on standard error while a long source is loaded.</summary>
internal static class LoadProgress
{
    /// <summary>Runs <paramref name="work"/>, which reports the share that is done, from 0 to 1.</summary>
    public static async Task<T> ShowAsync<T>(string name, TextWriter error, Func<Action<double>, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error), Ansi = AnsiSupport.Detect });
        return await console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var task = context.AddTask(Markup.Escape(name), maxValue: 1);
                return work(share => task.Value = share);
            });
    }
}
