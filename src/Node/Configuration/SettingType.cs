using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite.Node;

/// <summary>How a kind of value is written.</summary>
/// <param name="Wanted">What a text must be, as the end of a sentence: "a port from 1 to 65535".</param>
/// <param name="Read">Reads a text; <see langword="false"/> if it is none of these.</param>
/// <param name="Write">As an operator would write it.</param>
internal sealed record SettingType<T>(string Wanted, SettingType<T>.Reader Read, Func<T, string> Write)
{
    /// <summary>Reads a text.</summary>
    public delegate bool Reader(string text, [MaybeNullWhen(false)] out T value);
}
