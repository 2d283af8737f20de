using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ReplicatedSqlite.AspNetCore;

/// <summary>Asks the nearest copy for nothing.</summary>
internal sealed class ReplicatedSqliteHealthCheck(ReplicatedSqliteDataSource dataSource) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var response = await dataSource.WithSession().ExecuteAsync("SELECT 1", cancellationToken: cancellationToken).ConfigureAwait(false);
            var served = response.Served;
            return HealthCheckResult.Healthy(
                $"{dataSource.Database} is answered by {served.Node} in {served.Region}.",
                new Dictionary<string, object> { ["node"] = served.Node, ["region"] = served.Region, ["primary"] = served.Primary, ["lag_ms"] = served.Lag.TotalMilliseconds });
        }
        catch (ReplicatedSqliteException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, $"{dataSource.Database}: {e.Code}", e);
        }
    }
}
