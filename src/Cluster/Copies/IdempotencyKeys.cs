using System.Text;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The rules on idempotency keys that need no database.</summary>
public static class IdempotencyKeys
{
    /// <summary>Longest key, in bytes of UTF-8.</summary>
    public const int MaxBytes = 200;

    /// <exception cref="RequestException">The key is too long.</exception>
    public static void CheckOptional(string key)
    {
        if (Encoding.UTF8.GetByteCount(key) is > MaxBytes and var bytes)
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest, $"The idempotency key has {bytes} bytes; at most {MaxBytes} are taken. A random UUID is a good key.");
        }

        if (key.Contains('\0', StringComparison.Ordinal))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "The idempotency key holds the character U+0000, which no key may. A random UUID is a good key.");
        }
    }

    /// <exception cref="RequestException">The key is missing or too long.</exception>
    public static void Check(string key)
    {
        if (key.Length == 0)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"The request names no idempotency key; 1 to {MaxBytes} bytes are wanted.");
        }

        CheckOptional(key);
    }
}
