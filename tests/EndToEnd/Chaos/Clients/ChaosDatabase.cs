namespace ReplicatedSqlite.EndToEnd;

/// <summary>A database of a story: its tables, what is asked of them, and what was answered.</summary>
/// <param name="cluster">Where it is.</param>
/// <param name="name">Its name.</param>
/// <param name="id">Its id.</param>
internal sealed class ChaosDatabase(ProcessCluster cluster, string name, string id)
{
    public const string Schema =
        "CREATE TABLE log (place INTEGER PRIMARY KEY, write INTEGER NOT NULL, row INTEGER NOT NULL, pad BLOB); " +
        "CREATE TABLE rows (row INTEGER PRIMARY KEY, write INTEGER NOT NULL); CREATE INDEX writes ON log (write); INSERT INTO rows VALUES (0, 0)";

    public const string Append = "INSERT INTO log (write, row, pad) VALUES (?, ?, zeroblob(?)) RETURNING place";
    public const string Set = "INSERT INTO rows VALUES (?, ?) ON CONFLICT (row) DO UPDATE SET write = excluded.write";
    public const string SetTaken = "INSERT INTO rows VALUES (0, ?)"; // row 0 is there from the beginning
    public const string Look =
        "SELECT coalesce((SELECT max(place) FROM log), 0), coalesce((SELECT write FROM log ORDER BY place DESC LIMIT 1), 0), coalesce((SELECT write FROM rows WHERE row = ?), 0)";

    public string Name => name;

    public string Id => id;

    public ChaosHistory History { get; } = new();

    public ReplicatedDatabase At(int node) => cluster.Nodes[node].Client.Database(name);

    public string FileAt(ProcessNode node) => Path.Combine(node.Folder, "copies", id, "db.sqlite");
}
