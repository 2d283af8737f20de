namespace ReplicatedSqlite.D1Api;

/// <summary>Error codes of Cloudflare's API that D1's clients know.</summary>
internal static class ApiCodes
{
    public const int NoRoute = 7003;
    public const int InvalidProperty = 7400;
    public const int NotAuthorized = 7403;
    public const int NotFound = 7404;
    public const int Overloaded = 7429;
    public const int Query = 7500;
    public const int NameTaken = 7502;
    public const int Authentication = 10000;
}
