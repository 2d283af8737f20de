namespace ReplicatedSqlite.Sqlite;

/// <summary>What a pragma on the allow-list does.</summary>
public enum PragmaEffect
{
    /// <summary>It only reads.</summary>
    Read,

    /// <summary>With a value it changes the connection, until the request ends.</summary>
    Connection,

    /// <summary>It may write to the database.</summary>
    Write,

    /// <summary>With a value it is accepted and does nothing; without one it reads.</summary>
    Ignored,
}

/// <summary>One pragma that users may run.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Effect">What it does.</param>
/// <param name="TakesValue">Whether it may have a value or argument at all.</param>
/// <param name="OnlyValue">The only value that may be set; <see langword="null"/> for any.</param>
/// <param name="Default">What a request that changed it leaves behind; for <see cref="PragmaEffect.Connection"/>.</param>
public sealed record PragmaRule(
    string Name, PragmaEffect Effect, bool TakesValue = true, string? OnlyValue = null, string? Default = null)
{
    internal static PragmaRule Read(string name, bool takesValue = true) => new(name, PragmaEffect.Read, takesValue);

    internal static PragmaRule Switch(string name, bool on = false) => new(name, PragmaEffect.Connection, Default: on ? "ON" : "OFF");

    internal static PragmaRule Ignored(string name) => new(name, PragmaEffect.Ignored);
}
