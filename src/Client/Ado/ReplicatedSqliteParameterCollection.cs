using System.Collections;
using System.Data.Common;
using System.Globalization;

namespace ReplicatedSqlite;

/// <summary>The parameters of a command.</summary>
public sealed class ReplicatedSqliteParameterCollection : DbParameterCollection, IEnumerable<ReplicatedSqliteParameter>
{
    private readonly List<ReplicatedSqliteParameter> _parameters = [];

    internal static readonly ReplicatedSqliteParameterCollection None = new();

    internal ReplicatedSqliteParameterCollection()
    {
    }

    /// <inheritdoc/>
    public override int Count => _parameters.Count;

    /// <inheritdoc/>
    public override object SyncRoot => ((ICollection)_parameters).SyncRoot;

    /// <summary>A parameter by its place.</summary>
    public new ReplicatedSqliteParameter this[int index]
    {
        get => _parameters[Check(index)];
        set => _parameters[Check(index)] = Check(value);
    }

    /// <summary>A parameter by its name.</summary>
    public new ReplicatedSqliteParameter this[string parameterName]
    {
        get => _parameters[Find(parameterName)];
        set => _parameters[Find(parameterName)] = Check(value);
    }

    /// <summary>Adds a parameter.</summary>
    public ReplicatedSqliteParameter Add(ReplicatedSqliteParameter value)
    {
        _parameters.Add(Check(value));
        return value;
    }

    /// <inheritdoc/>
    public override int Add(object value)
    {
        _parameters.Add(Check(value));
        return _parameters.Count - 1;
    }

    /// <summary>Adds a name; its value comes later.</summary>
    public ReplicatedSqliteParameter Add(string? parameterName, ReplicatedSqliteType type) => Add(new ReplicatedSqliteParameter(parameterName, type));

    /// <summary>Adds a name; its value comes later, and is cut to a size.</summary>
    public ReplicatedSqliteParameter Add(string? parameterName, ReplicatedSqliteType type, int size) => Add(new ReplicatedSqliteParameter(parameterName, type, size));

    /// <summary>Adds a value by name.</summary>
    public ReplicatedSqliteParameter AddWithValue(string? parameterName, object? value) => Add(new ReplicatedSqliteParameter(parameterName, value));

    /// <summary>Adds a value by its place: for <c>?</c>.</summary>
    public ReplicatedSqliteParameter AddValue(object? value) => Add(new ReplicatedSqliteParameter(null, value));

    /// <inheritdoc/>
    public override void AddRange(Array values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var value in values) Add(value!);
    }

    /// <summary>Adds several.</summary>
    public void AddRange(IEnumerable<ReplicatedSqliteParameter> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var value in values) Add(value);
    }

    /// <inheritdoc/>
    public override void Clear() => _parameters.Clear();

    /// <inheritdoc/>
    public override bool Contains(object value) => value is ReplicatedSqliteParameter parameter && _parameters.Contains(parameter);

    /// <inheritdoc/>
    public override bool Contains(string value) => IndexOf(value) >= 0;

    /// <inheritdoc/>
    public override void CopyTo(Array array, int index) => ((ICollection)_parameters).CopyTo(array, index);

    /// <inheritdoc/>
    public override IEnumerator GetEnumerator() => _parameters.GetEnumerator();

    IEnumerator<ReplicatedSqliteParameter> IEnumerable<ReplicatedSqliteParameter>.GetEnumerator() => _parameters.GetEnumerator();

    /// <inheritdoc/>
    public override int IndexOf(object value) => value is ReplicatedSqliteParameter parameter ? _parameters.IndexOf(parameter) : -1;

    /// <inheritdoc/>
    public override int IndexOf(string parameterName) => _parameters.FindIndex(parameter => parameter.ParameterName == parameterName);

    /// <inheritdoc/>
    public override void Insert(int index, object value) => _parameters.Insert(index, Check(value));

    /// <inheritdoc/>
    public override void Remove(object value) => _parameters.Remove(Check(value));

    /// <inheritdoc/>
    public override void RemoveAt(int index) => _parameters.RemoveAt(Check(index));

    /// <inheritdoc/>
    public override void RemoveAt(string parameterName) => _parameters.RemoveAt(Find(parameterName));

    /// <inheritdoc/>
    protected override DbParameter GetParameter(int index) => this[index];

    /// <inheritdoc/>
    protected override DbParameter GetParameter(string parameterName) => this[parameterName];

    /// <inheritdoc/>
    protected override void SetParameter(int index, DbParameter value) => this[index] = Check(value);

    /// <inheritdoc/>
    protected override void SetParameter(string parameterName, DbParameter value) => this[parameterName] = Check(value);

    /// <summary>Writes the values that the SQL asks for, over those of an earlier execution; what it does not ask for is left out, as Microsoft.Data.Sqlite does.</summary>
    /// <exception cref="InvalidOperationException">Some are missing.</exception>
    internal void AddTo(Protocol.V1.Statement message, SqlShape shape)
    {
        List<string>? missing = null;
        foreach (var name in shape.Named)
        {
            if (FindNamed(name) is { } found) message.Named[name] = found.ToMessage(name);
            else (missing ??= []).Add(name);
        }

        if (missing is not null)
            throw new InvalidOperationException($"The SQL has parameters without a value: {string.Join(", ", missing)}. Add them to Parameters.");
        message.Positional.Clear();
        if (shape.Positional == 0) return;
        var unnamed = _parameters.Exists(parameter => parameter.ParameterName.Length == 0);
        foreach (var parameter in _parameters)
        {
            if (unnamed ? parameter.ParameterName.Length > 0 : Array.Exists(shape.Named, parameter.IsNamed)) continue;
            message.Positional.Add(parameter.ToMessage($"?{message.Positional.Count + 1}"));
        }

        if (message.Positional.Count < shape.Positional)
            throw new InvalidOperationException($"The SQL has {shape.Positional} parameters by place, and {message.Positional.Count} values came for them. Add the others to Parameters.");
    }

    private ReplicatedSqliteParameter? FindNamed(string name)
    {
        foreach (var parameter in _parameters)
        {
            if (parameter.IsNamed(name)) return parameter;
        }

        return null;
    }

    private static ReplicatedSqliteParameter Check(object? value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value as ReplicatedSqliteParameter
            ?? throw new InvalidCastException($"A {nameof(ReplicatedSqliteParameter)} is wanted, not a {value.GetType()}.");
    }

    private int Check(int index)
    {
        if ((uint)index >= (uint)_parameters.Count)
            throw new ArgumentOutOfRangeException(nameof(index), index, string.Create(CultureInfo.InvariantCulture, $"There are {_parameters.Count} parameters."));
        return index;
    }

    private int Find(string parameterName)
    {
        var index = IndexOf(parameterName);
        return index >= 0 ? index : throw new ArgumentOutOfRangeException(nameof(parameterName), parameterName, $"There is no parameter '{parameterName}'.");
    }
}
