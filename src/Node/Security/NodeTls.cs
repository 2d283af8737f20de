using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ReplicatedSqlite.Grpc.Server;

namespace ReplicatedSqlite.Node;

/// <summary>A node's certificates, kept as the files have them: what is new counts from the next connection on. Connections that are open stay.</summary>
/// <remarks>The files are looked at, not watched: a watch misses what is put in place by a rename in another folder, as mounted secrets are.</remarks>
internal sealed class NodeTls : IAsyncDisposable
{
    private static readonly TimeSpan _warnBefore = TimeSpan.FromDays(14);
    private static readonly TimeSpan _betweenWarnings = TimeSpan.FromDays(1);

    private readonly TlsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _looking = new();
    private string _fingerprint; // under the lock, as are the next three
    private string? _broken;
    private bool _isTold;
    private DateTimeOffset _warnedAt;
    private TlsMaterial _current; // written under the lock; read by any thread

    private NodeTls(TlsOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _current = TlsMaterial.Load(options, time.GetUtcNow());
        _fingerprint = TlsMaterial.FingerprintOf(options);
        WarnIfEnding();
        _timer = time.CreateTimer(static state => ((NodeTls)state!).Look(), this, options.LookInterval, options.LookInterval);
    }

    /// <summary>For the gRPC port, which asks who is a node.</summary>
    public ServerTls Grpc => new() { Certificate = () => Current.Server, PeerAuthorities = () => Current.NodeAuthorities };

    /// <summary>For the HTTP port.</summary>
    public ServerTls Http => new() { Certificate = () => Current.Server };

    private TlsMaterial Current => Volatile.Read(ref _current);

    /// <exception cref="InvalidOperationException">A file is missing, or does not hold what it should.</exception>
    public static NodeTls Open(TlsOptions options, TimeProvider time, ILogger logger) => new(options, time, logger);

    /// <summary>For a connection to another node.</summary>
    public SslClientAuthenticationOptions ToNode()
    {
        var material = Current;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(material.ServerAuthorities);
        return new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateContext = material.Node,
            CertificateChainPolicy = policy,
            AllowTlsResume = false, // the other side sees the whole chain each time; these connections are few and long
        };
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Look()
    {
        if (!_looking.TryEnter())
        {
            return; // the disk is slow
        }

        try
        {
            var found = TryFingerprint() ?? "unreadable";
            if (found != _fingerprint)
            {
                Change(found);
            }
            else
            {
                _broken = null;
            }

            WarnIfEnding();
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void Change(string found)
    {
        try
        {
            var loaded = TlsMaterial.Load(_options, _time.GetUtcNow());
            if (TryFingerprint() != found)
            {
                return; // somebody is writing; the next look sees all of it
            }

            Volatile.Write(ref _current, loaded);
            _fingerprint = found;
            _broken = null;
            TlsLog.Changed(_logger, _options.CertificateFile, loaded.ExpiresAt);
        }
        catch (InvalidOperationException e)
        {
            // One look more before it is told: certificate and key are replaced one after the other.
            if (_broken != found)
            {
                (_broken, _isTold) = (found, false);
            }
            else if (!_isTold)
            {
                _isTold = true;
                TlsLog.Broken(_logger, e.Message, _current.ExpiresAt);
            }
        }
    }

    private string? TryFingerprint()
    {
        try
        {
            return TlsMaterial.FingerprintOf(_options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void WarnIfEnding()
    {
        var now = _time.GetUtcNow();
        if (_current.ExpiresAt - now < _warnBefore && now - _warnedAt >= _betweenWarnings)
        {
            _warnedAt = now;
            TlsLog.Ending(_logger, _options.CertificateFile, _current.ExpiresAt);
        }
    }
}
