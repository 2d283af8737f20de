using System.Collections;
using System.Runtime.CompilerServices;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Values for the parameters of a statement: by position (<c>?</c>, <c>?NNN</c>), by name (<c>:x</c>, <c>@x</c>, <c>$x</c>), or both. Immutable.</summary>
/// <remarks>
/// A collection expression makes positional ones: <c>[42, "x", null]</c>. Values are null, booleans and whole numbers (integer), floating-point numbers
/// (real), strings and characters (text), bytes (blob); as text, in the forms that Microsoft.Data.Sqlite uses: decimal, Guid, DateTime,
/// DateTimeOffset, DateOnly, TimeOnly, TimeSpan.
/// </remarks>
[CollectionBuilder(typeof(SqlParameters), nameof(Positional))]
public sealed class SqlParameters : IEnumerable<object?>
{
    private readonly object?[] _positional;
    private readonly KeyValuePair<string, object?>[] _named;

    private SqlParameters(object?[] positional, KeyValuePair<string, object?>[] named)
    {
        _positional = positional;
        _named = named;
    }

    /// <summary>No parameters.</summary>
    public static SqlParameters None { get; } = new([], []);

    /// <summary>Values by position; the first is <c>?1</c>.</summary>
    public static SqlParameters Positional(params ReadOnlySpan<object?> values) => values.IsEmpty ? None : new(values.ToArray(), []);

    /// <summary>Values by name, with its prefix or without: then it stands for <c>:x</c>, <c>@x</c> and <c>$x</c>.</summary>
    public static SqlParameters Named(params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var named = new KeyValuePair<string, object?>[values.Length];
        for (var i = 0; i < values.Length; i++) named[i] = new(values[i].Name, values[i].Value);
        return None.With(named);
    }

    /// <summary>Values by name.</summary>
    public static SqlParameters Named(IEnumerable<KeyValuePair<string, object?>> values) => None.With(values);

    /// <summary>These, and named ones besides.</summary>
    /// <exception cref="ArgumentException">A name is empty or comes twice.</exception>
    public SqlParameters With(IEnumerable<KeyValuePair<string, object?>> named)
    {
        ArgumentNullException.ThrowIfNull(named);
        KeyValuePair<string, object?>[] all = [.. _named, .. named];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, _) in all)
        {
            if (string.IsNullOrEmpty(name)) throw new ArgumentException("A named parameter has no name.", nameof(named));
            if (!seen.Add(name)) throw new ArgumentException($"The parameter '{name}' is given twice.", nameof(named));
        }

        return new(_positional, all);
    }

    /// <summary>The positional values.</summary>
    public IEnumerator<object?> GetEnumerator() => ((IEnumerable<object?>)_positional).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void AddTo(Statement message)
    {
        for (var i = 0; i < _positional.Length; i++) message.Positional.Add(SqlValueWriter.Write(_positional[i], $"?{i + 1}"));
        foreach (var (name, value) in _named)
        {
            SqlValueWriter.CheckText(name, "The name of a parameter");
            message.Named.Add(name, SqlValueWriter.Write(value, name));
        }
    }
}
