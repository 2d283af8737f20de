using System.Net;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Node;

/// <summary>What settings must be together: each alone may be right.</summary>
internal static class ConfigurationChecks
{
    public static IEnumerable<SettingFault> Of(SettingValues values)
    {
        var roles = values.Get(NodeSettings.Roles);
        if (roles.HasFlag(NodeRoles.Primary) && !roles.HasFlag(NodeRoles.Follower))
        {
            yield return new($"{NodeSettings.Roles.Key} is {values.TextOf(NodeSettings.Roles)}: a primary's own node is one of its followers, so 'primary' needs 'follower'.");
        }

        var address = values.Get(NodeSettings.ListenAddress)!;
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
        {
            foreach (var missing in new[] { NodeSettings.AdvertisedGrpc, NodeSettings.AdvertisedHttp }.Where(setting => !values.Has(setting)))
            {
                yield return new($"{NodeSettings.ListenAddress.Key} is {address}, by which nobody can reach the node: {missing.Key} is wanted too ({missing.Meaning}).");
            }
        }

        if (values.Get(NodeSettings.GrpcPort) is var port and not 0 && port == values.Get(NodeSettings.HttpPort))
        {
            yield return new($"{NodeSettings.GrpcPort.Key} and {NodeSettings.HttpPort.Key} are both {port}: two ports are wanted.");
        }

        foreach (var fault in OfTls(values))
        {
            yield return fault;
        }

        foreach (var fault in values.Get(NodeSettings.Control) == "etcd" ? OfEtcd(values) : OfEmbedded(values, roles))
        {
            yield return fault;
        }
    }

    private static IEnumerable<SettingFault> OfTls(SettingValues values)
    {
        Setting[] all = [NodeSettings.TlsCertificate, NodeSettings.TlsKey, NodeSettings.TlsNodeAuthority, NodeSettings.TlsNodeCertificate, NodeSettings.TlsNodeKey, NodeSettings.TlsServerAuthority];
        if (all.FirstOrDefault(values.Has) is not { } any)
        {
            yield break;
        }

        foreach (var missing in all.Take(3).Where(setting => !values.Has(setting)))
        {
            yield return new($"{any.Key} is set, and {missing.Key} is not: it is wanted too ({missing.Meaning}).");
        }

        if (values.Has(NodeSettings.TlsNodeCertificate) != values.Has(NodeSettings.TlsNodeKey))
        {
            yield return new($"{NodeSettings.TlsNodeCertificate.Key} and {NodeSettings.TlsNodeKey.Key} are set together, or neither.");
        }
    }

    private static IEnumerable<SettingFault> OfEtcd(SettingValues values)
    {
        if (!values.Has(NodeSettings.EtcdEndpoints))
        {
            yield return SettingFault.Missing(NodeSettings.EtcdEndpoints);
        }

        if (values.Has(NodeSettings.ControlFile))
        {
            yield return new($"{NodeSettings.ControlFile.Key} is set, but {NodeSettings.Control.Key} is etcd: take one of the two out.");
        }

        if (values.Has(NodeSettings.EtcdPassword) && values.Has(NodeSettings.EtcdPasswordFile))
        {
            yield return new($"{NodeSettings.EtcdPassword.Key} and {NodeSettings.EtcdPasswordFile.Key} are both set: one of the two is wanted.");
        }
    }

    private static IEnumerable<SettingFault> OfEmbedded(SettingValues values, NodeRoles roles)
    {
        if (values.Get(NodeSettings.Control) is null)
        {
            yield break; // told already
        }

        foreach (var setting in NodeSettings.All.Where(setting => setting.Key.StartsWith("etcd.", StringComparison.Ordinal) && values.Has(setting)))
        {
            yield return new($"{setting.Key} is set, but {NodeSettings.Control.Key} is embedded, which is for a single node: take it out, or set {NodeSettings.Control.Key} to etcd.");
        }

        if (roles != NodeRoles.All)
        {
            yield return new($"{NodeSettings.Roles.Key} is {values.TextOf(NodeSettings.Roles)}, but {NodeSettings.Control.Key} is embedded: a single node needs all roles.");
        }
    }
}
