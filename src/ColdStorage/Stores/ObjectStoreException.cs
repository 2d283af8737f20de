namespace ReplicatedSqlite.ColdStorage;

/// <summary>A store did not do what was asked; the text names the object.</summary>
public class ObjectStoreException(string message, bool isTransient, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>The same call may succeed later.</summary>
    public bool IsTransient => isTransient;
}

/// <summary>An object that must be there is not.</summary>
public sealed class ObjectMissingException(string name, string store) : ObjectStoreException(
    $"The object '{name}' is missing from {store}. What needs it cannot be restored; nothing older or empty is taken in its place.", isTransient: false)
{
    /// <summary>Its name.</summary>
    public string Name => name;
}

/// <summary>An object is not what was stored under its name.</summary>
public sealed class ObjectDamagedException(string name, string fault) : ObjectStoreException(
    $"The object '{name}' is damaged: {fault}. What needs it cannot be restored; nothing older or empty is taken in its place.", isTransient: false)
{
    /// <summary>Its name.</summary>
    public string Name => name;
}
