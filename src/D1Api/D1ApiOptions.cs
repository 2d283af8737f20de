namespace ReplicatedSqlite.D1Api;

/// <summary>Settings of the HTTP API.</summary>
public sealed record D1ApiOptions
{
    /// <summary>The profile of databases that are made through this API: <c>d1</c> (what runs here runs on D1) or <c>default</c>.</summary>
    public string Profile { get; init; } = "d1";

    /// <summary>The one account that paths may name; <see langword="null"/> for any. Accounts do not divide databases: tokens do.</summary>
    public string? Account { get; init; }

    /// <summary>Origins whose pages may call the API from a browser (CORS); <c>*</c> for any, with a token. None by default.</summary>
    /// <remarks>A page named here calls as its reader does: from the node's own machine without a token, with all rights, unless tokens are required.</remarks>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>Longest body of a request, uploads excluded. Default 16 MiB.</summary>
    public int MaxBodyBytes { get; init; } = 16 << 20;

    /// <summary>Longest file of an import. Default 5 GiB, as on D1.</summary>
    public long MaxUploadBytes { get; init; } = 5L << 30;

    /// <summary>Bytes of bodies that may be on their way at once, all requests together; those beyond are OVERLOADED (429). Default 256 MiB.</summary>
    public long MaxArrivingBytes { get; init; } = 256 << 20;

    /// <summary>Longest time that a request's body may take to arrive. Default 30 s.</summary>
    public TimeSpan BodyPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time that the statements of a request may run. Default 30 s, as on D1.</summary>
    public TimeSpan QueryTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
