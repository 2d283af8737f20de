namespace ReplicatedSqlite.Node;

/// <summary>What a node encrypts its ports with, and how nodes know each other: files in PEM. They are read again when they change.</summary>
public sealed record TlsOptions
{
    /// <summary>The certificate that clients and nodes see, with what lies between it and its authority behind it.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>Its private key, not encrypted.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The authorities that sign nodes, and nothing else: whoever shows a certificate of theirs is believed to be a node.</summary>
    public required string NodeAuthorityFile { get; init; }

    /// <summary>What this node shows when it calls others. Default: <see cref="CertificateFile"/>, which the node authority has signed then.</summary>
    public string? NodeCertificateFile { get; init; }

    /// <summary>The private key of <see cref="NodeCertificateFile"/>.</summary>
    public string? NodeKeyFile { get; init; }

    /// <summary>The authorities that sign what the other nodes' ports show. Default: <see cref="NodeAuthorityFile"/>. To be set where clients know the ports by another authority, such as a public one.</summary>
    public string? ServerAuthorityFile { get; init; }

    /// <summary>How often the files are looked at. Default 5 s.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromSeconds(5);
}
