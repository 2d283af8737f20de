namespace ReplicatedSqlite.Samples.Shop;

/// <summary>One line of the list of orders.</summary>
internal sealed record Order(long Id, string Product, string PlacedAt);

/// <summary>One thing to buy.</summary>
internal sealed record Product(long Id, string Name, long PriceCents);
