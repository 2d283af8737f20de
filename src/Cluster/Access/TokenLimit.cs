using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The bound of tokens, which every control plane words alike.</summary>
internal static class TokenLimit
{
    /// <param name="count">How many there are.</param>
    /// <exception cref="RequestException">No more are taken.</exception>
    public static void Check(int count)
    {
        if (count >= ITokenStore.MaxTokens)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"There are {count} tokens already, and {ITokenStore.MaxTokens} is the limit. Revoke those that nobody uses; ListTokens shows them.");
        }
    }
}
