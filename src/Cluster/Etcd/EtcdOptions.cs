namespace ReplicatedSqlite.Cluster;

/// <summary>Where etcd is, and how patient this node is with it.</summary>
public sealed record EtcdOptions
{
    /// <summary>Client addresses of the members of <em>one</em> etcd cluster, e.g. <c>https://etcd1:2379</c>. The others are tried when one fails.</summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>The file in this node's folder that remembers what was seen in etcd, so that one that was wiped or brought back from a backup is noticed; its folder exists.</summary>
    public required string MemoryPath { get; init; }

    /// <summary>Before all keys of this cluster. Several clusters may share an etcd under different ones.</summary>
    public string Prefix { get; init; } = "/replicatedsqlite/";

    /// <summary>The user, where etcd asks for one.</summary>
    public string? User { get; init; }

    /// <summary>Its password.</summary>
    public string? Password { get; init; }

    /// <summary>A PEM file with the certificates that etcd's must descend from; <see langword="null"/>: the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>A PEM file with this node's certificate, where etcd asks for one.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>A PEM file with the key of <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }

    /// <summary>After so long without a word of it a node is not alive. Whole seconds, from 2; etcd itself rounds up to a little more than its election timeout.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two signs of life, and between two looks at whether etcd is still what it was.</summary>
    public TimeSpan Pulse { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>For one answer of one endpoint; then the next is asked.</summary>
    public TimeSpan AnswerPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For a call as a whole, over all endpoints; then it fails.</summary>
    public TimeSpan CallPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Databases read at a time when the catalogue is loaded.</summary>
    public int PageCount { get; init; } = 1000;

    /// <summary>Ids of deleted databases that are remembered; the oldest are forgotten first.</summary>
    public int DeletedCount { get; init; } = 100_000;

    /// <summary>
    /// An operator knows that etcd was wiped or brought back from a backup, and wants to go on with it: what this node remembers is brought back into it.
    /// Does nothing when etcd is as it was.
    /// </summary>
    public bool AcceptRestored { get; init; }

    /// <summary>Says what cannot work, all of it.</summary>
    /// <returns>Empty when nothing is wrong.</returns>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        if (Endpoints.Count == 0)
        {
            faults.Add("No endpoint of etcd is named; e.g. http://127.0.0.1:2379 is wanted.");
        }

        faults.AddRange(Endpoints
            .Where(static endpoint => !endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https") || endpoint.PathAndQuery != "/")
            .Select(static endpoint => $"'{endpoint}' is no endpoint of etcd: http://HOST:PORT or https://HOST:PORT is wanted."));
        if (!Prefix.StartsWith('/') || !Prefix.EndsWith('/') || Prefix.Length < 3)
        {
            faults.Add($"'{Prefix}' is no prefix for etcd's keys: it begins and ends with '/', e.g. /replicatedsqlite/.");
        }

        if (User is null != Password is null)
        {
            faults.Add("etcd's user and password are given together or not at all.");
        }

        if (CertificateFile is null != KeyFile is null)
        {
            faults.Add("The certificate for etcd and its key are given together or not at all.");
        }

        faults.AddRange(new[] { CaFile, CertificateFile, KeyFile }.Where(static file => file is not null && !File.Exists(file))
            .Select(static file => $"There is no file '{file}', which TLS to etcd needs."));
        if (Lease < TimeSpan.FromSeconds(2) || Pulse <= TimeSpan.Zero || Pulse > Lease / 3 || AnswerPatience <= TimeSpan.Zero || CallPatience < AnswerPatience)
        {
            faults.Add($"A lease of {Lease}, a pulse of {Pulse}, and {AnswerPatience} of {CallPatience} for an answer do not fit: the lease has at least 2 s and three pulses, a call at least one answer.");
        }

        if (PageCount is < 1 or > 5000 || DeletedCount < 1)
        {
            faults.Add($"Pages of {PageCount} databases and {DeletedCount} remembered deletions do not work: 1 to 5000, and at least 1.");
        }

        return faults;
    }
}
