using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite.Node;

/// <summary>One setting of a node, as it is called everywhere.</summary>
/// <param name="Key">In the file: words of lowercase letters joined by '_', sections by '.'.</param>
/// <param name="Meaning">For the operator, one line.</param>
internal abstract record Setting(string Key, string Meaning)
{
    /// <summary>The environment variable, e.g. <c>RS_LISTEN_GRPC_PORT</c>.</summary>
    public string Variable => VariablePrefix + Key.Replace('.', '_').ToUpperInvariant();

    /// <summary>The option, e.g. <c>--listen-grpc-port</c>.</summary>
    public string Option => "--" + Key.Replace('.', '-').Replace('_', '-');

    /// <summary>What all environment variables begin with.</summary>
    public const string VariablePrefix = "RS_";

    /// <summary>Never shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>What a text must be.</summary>
    public abstract string Wanted { get; }

    /// <summary>The default as an operator would write it; <see langword="null"/> when there is none.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Reads a text.</summary>
    public abstract bool TryRead(string text, [NotNullWhen(true)] out object? value);

    /// <summary>A value as an operator would write it.</summary>
    public abstract string WriteObject(object value);
}

/// <inheritdoc/>
/// <param name="Key">In the file.</param>
/// <param name="Meaning">For the operator, one line.</param>
/// <param name="Type">How it is written.</param>
internal sealed record Setting<T>(string Key, string Meaning, SettingType<T> Type) : Setting(Key, Meaning)
    where T : notnull
{
    /// <summary>Whether something else is used when nobody sets it.</summary>
    public bool HasDefault { get; private init; }

    /// <summary>What is used when nobody sets it.</summary>
    public T? Default { get; private init; }

    /// <inheritdoc/>
    public override string Wanted => Type.Wanted;

    /// <inheritdoc/>
    public override string? DefaultText => HasDefault ? Type.Write(Default!) : null;

    /// <summary>The same with a default.</summary>
    public Setting<T> Or(T value) => this with { Default = value, HasDefault = true };

    /// <inheritdoc/>
    public override bool TryRead(string text, [NotNullWhen(true)] out object? value)
    {
        var isRead = Type.Read(text, out var read);
        value = read;
        return isRead && read is not null;
    }

    /// <inheritdoc/>
    public override string WriteObject(object value) => Type.Write((T)value);
}
