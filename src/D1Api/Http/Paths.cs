using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>What a request's path says.</summary>
internal static class Paths
{
    public const string Databases = "/client/v4/accounts/{account}/d1/database";
    public const string OneDatabase = Databases + "/{database}";
    public const string Files = "/client/v4/files";
    public const string GraphQl = "/client/v4/graphql";

    /// <summary>The database's id or name.</summary>
    public static string Database(HttpContext http) => http.Request.RouteValues["database"] as string ?? "";
}
