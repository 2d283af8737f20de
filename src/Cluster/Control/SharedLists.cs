using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace ReplicatedSqlite.Cluster;

/// <summary>One copy of each list that many records have: a hundred thousand databases are kept by few nodes in few regions.</summary>
internal static class SharedLists
{
    private const int MaxLists = 10_000; // beyond it a record keeps its own

    private static readonly ConcurrentDictionary<ImmutableArray<string>, ImmutableArray<string>> _regions = new(new ByContent<string>());
    private static readonly ConcurrentDictionary<ImmutableArray<FollowerPlace>, ImmutableArray<FollowerPlace>> _followers = new(new ByContent<FollowerPlace>());

    public static ImmutableArray<string> Share(string[] regions) =>
        regions.Length == 0 ? [] : Share(_regions, [.. regions.Select(string.Intern)]);

    public static ImmutableArray<FollowerPlace> Share(FollowerPlace[] followers) =>
        followers.Length == 0 ? [] : Share(_followers, [.. followers.Select(static place => place with { NodeId = string.Intern(place.NodeId) })]);

    private static ImmutableArray<T> Share<T>(ConcurrentDictionary<ImmutableArray<T>, ImmutableArray<T>> lists, ImmutableArray<T> list) =>
        lists.TryGetValue(list, out var shared) ? shared : lists.Count >= MaxLists ? list : lists.GetOrAdd(list, list);

    private sealed class ByContent<T> : IEqualityComparer<ImmutableArray<T>>
    {
        public bool Equals(ImmutableArray<T> x, ImmutableArray<T> y) => x.AsSpan().SequenceEqual(y.AsSpan());

        public int GetHashCode(ImmutableArray<T> list)
        {
            var hash = new HashCode();
            foreach (var item in list)
            {
                hash.Add(item);
            }

            return hash.ToHashCode();
        }
    }
}
