using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.AspNetCore;

/// <summary>Puts ReplicatedSqlite into an application on ASP.NET Core.</summary>
public static class ReplicatedSqliteExtensions
{
    /// <summary>
    /// Adds a <see cref="ReplicatedSqliteDataSource"/> for the application, and for each request a <see cref="Session"/> and a closed <see cref="ReplicatedSqliteConnection"/> in it.
    /// <see cref="UseReplicatedSqliteSession"/> lets the session go on from the client's bookmark.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="connectionString">At least <c>Endpoint=…;Database=…</c>. A <c>Session=</c> in it is passed over within requests.</param>
    /// <param name="configure">Changes how sessions begin and travel.</param>
    public static IServiceCollection AddReplicatedSqlite(this IServiceCollection services, string connectionString, Action<ReplicatedSqliteSessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        _ = new ReplicatedSqliteConnectionStringBuilder(connectionString); // a wrong one stops the application at its start
        return services.AddReplicatedSqlite(
            provider => ReplicatedSqliteDataSource.Create(connectionString, new ReplicatedSqliteClientOptions { LoggerFactory = provider.GetService<ILoggerFactory>() }), configure);
    }

    /// <summary>The same with a data source that the application makes; it is disposed with the application.</summary>
    public static IServiceCollection AddReplicatedSqlite(
        this IServiceCollection services, Func<IServiceProvider, ReplicatedSqliteDataSource> create, Action<ReplicatedSqliteSessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        services.AddOptions<ReplicatedSqliteSessionOptions>()
            .Validate(options => options.Start is Session.FirstPrimary or Session.FirstUnconstrained, $"Start has to be \"{Session.FirstPrimary}\" or \"{Session.FirstUnconstrained}\".")
            .Validate(options => options.HeaderName.Length > 0, "HeaderName has to be set.");
        if (configure is not null) services.Configure(configure);
        services.TryAddSingleton(create);
        services.TryAddScoped<RequestSession>();
        services.TryAddScoped(provider => provider.GetRequiredService<RequestSession>().Session);
        services.TryAddScoped(provider => provider.GetRequiredService<ReplicatedSqliteDataSource>().CreateConnection(provider.GetRequiredService<Session>()));
        return services;
    }

    /// <summary>Takes each request's bookmark from its header or cookie, and gives the new one back in both. Goes before what reads or writes.</summary>
    public static IApplicationBuilder UseReplicatedSqliteSession(this IApplicationBuilder application)
    {
        ArgumentNullException.ThrowIfNull(application);
        return application.UseMiddleware<SessionMiddleware>();
    }

    /// <summary>Adds a check that asks the nearest copy of the database.</summary>
    public static IHealthChecksBuilder AddReplicatedSqlite(
        this IHealthChecksBuilder builder, string name = "replicatedsqlite", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(name, provider => new ReplicatedSqliteHealthCheck(provider.GetRequiredService<ReplicatedSqliteDataSource>()), failureStatus, tags));
    }
}
