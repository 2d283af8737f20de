namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Damages bytes a little, as a random test needs it: most of what it makes is nearly right.</summary>
internal static class ByteMutator
{
    private static readonly byte[][] Interesting = [[0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0x80], [0xff], [0x0a], [0xc3], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]];

    public static byte[] Mutate(byte[] bytes, Random random)
    {
        var result = bytes.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(result.Count + 1);
            var count = Math.Min(random.Next(1, 16), result.Count - at);
            switch (random.Next(6))
            {
                case 0 when count > 0:
                    result[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when count > 0:
                    result[at] = (byte)random.Next(256);
                    break;
                case 2:
                    result.RemoveRange(at, count);
                    break;
                case 3:
                    result.InsertRange(random.Next(result.Count + 1), result.GetRange(at, count));
                    break;
                case 4:
                    result.InsertRange(at, Interesting[random.Next(Interesting.Length)]);
                    break;
                default:
                    result.RemoveRange(at, random.Next(4) == 0 ? result.Count - at : 0);
                    break;
            }
        }

        return [.. result];
    }
}
