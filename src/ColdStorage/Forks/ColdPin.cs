using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A fork began at a position: what leads there is needed as long as the fork's origin exists, and collection leaves it (docs/formats.md, "Pins").</summary>
/// <param name="Position">Where it began.</param>
/// <param name="Fork">Its id.</param>
internal readonly record struct ColdPin(Position Position, DatabaseId Fork)
{
    private const int HolderLength = 32;

    public string NameIn(DatabaseId parent) => $"{ColdNames.Pins(parent)}{Position}-{Fork.Value:n}";

    public static bool TryParse(string name, out ColdPin pin)
    {
        pin = default;
        var text = name.AsSpan(name.LastIndexOf('/') + 1);
        if (text.Length != Position.TextLength + 1 + HolderLength
            || !Position.TryParse(text[..Position.TextLength], out var position)
            || !Guid.TryParseExact(text[^HolderLength..], "n", out var fork))
        {
            return false;
        }

        pin = new(position, new DatabaseId(fork));
        return true;
    }

    /// <summary>Puts it there; all of it is in the name.</summary>
    public Task PutAsync(IObjectStore store, DatabaseId parent, CancellationToken cancellationToken) => store.PutAsync(NameIn(parent), ["RSCLDPIN"u8.ToArray()], cancellationToken);
}
