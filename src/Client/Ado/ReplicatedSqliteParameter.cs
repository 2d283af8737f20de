using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>A value for a parameter of SQL: by name, with its prefix or without (<c>@id</c>, <c>:id</c>, <c>$id</c>), or, where it has no name, by its place (<c>?</c>).</summary>
public sealed class ReplicatedSqliteParameter : DbParameter
{
    private string _name = "";
    private string _sourceColumn = "";
    private object? _value;
    private int? _size;
    private ReplicatedSqliteType? _sqliteType;
    private DbType? _dbType;

    /// <summary>A parameter without name and value.</summary>
    public ReplicatedSqliteParameter()
    {
    }

    /// <summary>A value by name.</summary>
    public ReplicatedSqliteParameter(string? name, object? value)
    {
        ParameterName = name;
        Value = value;
    }

    /// <summary>A name; its value comes later.</summary>
    public ReplicatedSqliteParameter(string? name, ReplicatedSqliteType type)
    {
        ParameterName = name;
        SqliteType = type;
    }

    /// <summary>A name; its value comes later, and is cut to a size.</summary>
    public ReplicatedSqliteParameter(string? name, ReplicatedSqliteType type, int size)
        : this(name, type) => Size = size;

    /// <summary>A name; its value comes later from a source's column.</summary>
    public ReplicatedSqliteParameter(string? name, ReplicatedSqliteType type, int size, string? sourceColumn)
        : this(name, type, size) => SourceColumn = sourceColumn;

    /// <inheritdoc/>
    [AllowNull]
    public override string ParameterName { get => _name; set => _name = value ?? ""; }

    /// <summary>The value; <see cref="DBNull"/> for NULL.</summary>
    public override object? Value { get => _value; set => _value = value; }

    /// <summary>The .NET type in the words of ADO.NET. Only tells callers: values are stored by their own type, unless <see cref="SqliteType"/> is set.</summary>
    public override DbType DbType { get => _dbType ?? DbType.String; set => _dbType = value; }

    /// <summary>How the value is stored. Unset: by the value's type.</summary>
    public ReplicatedSqliteType SqliteType { get => _sqliteType ?? OwnType(_value); set => _sqliteType = value; }

    /// <summary>Only <see cref="ParameterDirection.Input"/>: SQLite has no other.</summary>
    /// <exception cref="ArgumentException">Another direction.</exception>
    public override ParameterDirection Direction
    {
        get => ParameterDirection.Input;
        set
        {
            if (value != ParameterDirection.Input) throw new ArgumentException($"SQLite's parameters are inputs; {value} is not possible. RETURNING gives values back.", nameof(value));
        }
    }

    /// <inheritdoc/>
    public override bool IsNullable { get; set; }

    /// <summary>Longest text (characters) or blob (bytes); longer values are cut. 0 or -1: as long as they are.</summary>
    public override int Size
    {
        get => _size ?? (_value switch { string text => text.Length, byte[] bytes => bytes.Length, _ => 0 });
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, -1);
            _size = value;
        }
    }

    /// <inheritdoc/>
    [AllowNull]
    public override string SourceColumn { get => _sourceColumn; set => _sourceColumn = value ?? ""; }

    /// <inheritdoc/>
    public override bool SourceColumnNullMapping { get; set; }

    /// <inheritdoc/>
    public override DataRowVersion SourceVersion { get; set; } = DataRowVersion.Current;

    /// <inheritdoc/>
    public override void ResetDbType() => ResetSqliteType();

    /// <summary>Values are stored by their own type again.</summary>
    public void ResetSqliteType()
    {
        _dbType = null;
        _sqliteType = null;
    }

    /// <summary>Whether it stands for a parameter of SQL, given with its prefix.</summary>
    internal bool IsNamed(string name) =>
        _name.Length > 0 && (_name[0] is '@' or ':' or '$' or '?' ? _name == name : name.AsSpan(1).SequenceEqual(_name));

    internal Value ToMessage(string place)
    {
        if (_value is null)
            throw new InvalidOperationException($"The value of parameter {place} is not set. Set Value; NULL is DBNull.Value.");
        var value = _size is > 0 and var size ? Cut(_value, size) : _value;
        try
        {
            return _sqliteType is { } type ? SqlValueWriter.Write(value, type, place) : SqlValueWriter.Write(value, place);
        }
        catch (ArgumentException e) when (e.ParamName == nameof(value))
        {
            throw new InvalidOperationException(SqlValueWriter.NoForm(value, place), e); // no argument of the method that is called here
        }
    }

    private static object Cut(object value, int size) => value switch
    {
        string text when text.Length > size => text[..size],
        byte[] bytes when bytes.Length > size => bytes[..size],
        _ => value,
    };

    private static ReplicatedSqliteType OwnType(object? value) => value switch
    {
        bool or sbyte or byte or short or ushort or int or uint or long or ulong or Enum => ReplicatedSqliteType.Integer,
        float or double => ReplicatedSqliteType.Real,
        byte[] or ReadOnlyMemory<byte> or Memory<byte> or ArraySegment<byte> => ReplicatedSqliteType.Blob,
        _ => ReplicatedSqliteType.Text,
    };
}
