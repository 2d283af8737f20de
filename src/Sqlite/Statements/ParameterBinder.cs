using System.Buffers;
using System.Text;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Gives a statement the values that came with it.</summary>
/// <remarks>
/// Positional values go, in order, to the parameters without a name of their own (<c>?</c>, <c>?NNN</c>, and the numbers left out between
/// them); the first is ?1. Named values go to <c>:x</c>, <c>@x</c>, <c>$x</c>. One left over or missing is an error, in a script over all its statements.
/// </remarks>
internal sealed unsafe class ParameterBinder
{
    private const nint Transient = -1; // SQLite makes its own copy
    private const byte Utf8 = 1;
    private const int StackBytes = 512;

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private Statement _values = new();
    private bool _script;
    private int _position;

    /// <summary>The values of the next statement, or of a whole script.</summary>
    public void Start(Statement values, bool script)
    {
        _values = values;
        _script = script;
        _position = 0;
        if (_used.Count > 0)
        {
            _used.Clear();
        }
    }

    /// <summary>Binds all that a statement asks for.</summary>
    /// <exception cref="RequestException">PARAMETERS, or SQLite's refusal of a value.</exception>
    public void Bind(QueryConnection connection, PreparedSql statement, int statementIndex)
    {
        var parameters = statement.Parameters;
        for (var i = 0; i < parameters.Length; i++)
        {
            var name = parameters[i];
            Value value;
            if (name == null || name[0] == '?')
            {
                if (_position >= _values.Positional.Count)
                {
                    throw SqlErrors.Parameters(
                        $"The statement wants {CountPositional(parameters)} positional parameters{Found(parameters)}.", statementIndex);
                }

                value = _values.Positional[_position++];
            }
            else
            {
                value = Named(name, statementIndex);
            }

            var code = BindValue(statement.Handle, i + 1, value);
            if (code != SqliteCodes.Ok)
            {
                throw connection.Error(code, statementIndex, statement.Offset);
            }
        }

        if (!_script)
        {
            Finish(statementIndex);
        }
    }

    /// <summary>All values have been taken.</summary>
    /// <exception cref="RequestException">PARAMETERS: some were not.</exception>
    public void Finish(int statementIndex)
    {
        if (_position < _values.Positional.Count)
        {
            throw SqlErrors.Parameters(
                $"{_values.Positional.Count} positional parameters came, {_position} are wanted. Take the rest away.", statementIndex);
        }

        if (_used.Count < _values.Named.Count)
        {
            var unknown = _values.Named.Keys.Where(name => !_used.Contains(name)).Order(StringComparer.Ordinal);
            throw SqlErrors.Parameters($"No parameter is named {string.Join(", ", unknown)}.", statementIndex);
        }
    }

    private static int BindValue(nint statement, int index, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.Integer:
                return NativeMethods.fast_bind_int64(statement, index, value.Integer);
            case Value.KindOneofCase.Real:
                return NativeMethods.fast_bind_double(statement, index, value.Real); // SQLite makes NULL of NaN
            case Value.KindOneofCase.Text:
                return BindText(statement, index, value.Text);
            case Value.KindOneofCase.Blob:
                return BindBlob(statement, index, value.Blob.Span);
            default:
                return NativeMethods.fast_bind_null(statement, index);
        }
    }

    private static int BindText(nint statement, int index, string text)
    {
        byte[]? rented = null;
        var bytes = text.Length * 3 <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetByteCount(text));
        var length = Encoding.UTF8.GetBytes(text, bytes);
        int code;
        fixed (byte* start = bytes)
        {
            code = NativeMethods.sqlite3_bind_text64(statement, index, start, (ulong)length, Transient, Utf8);
        }

        if (rented != null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return code;
    }

    private static int BindBlob(nint statement, int index, ReadOnlySpan<byte> blob)
    {
        byte empty = 0;
        fixed (byte* start = blob)
        {
            // A null pointer would bind NULL instead of an empty blob.
            return NativeMethods.sqlite3_bind_blob64(statement, index, start == null ? &empty : start, (ulong)blob.Length, Transient);
        }
    }

    private static int CountPositional(string?[] parameters) => parameters.Count(name => name == null || name[0] == '?');

    private Value Named(string name, int statementIndex)
    {
        var plain = name[1..];
        var hasPlain = _values.Named.TryGetValue(plain, out var byPlain);
        if (_values.Named.TryGetValue(name, out var byName))
        {
            if (hasPlain)
            {
                throw SqlErrors.Parameters($"The parameter {name} has two values, one with its prefix and one without.", statementIndex);
            }

            _used.Add(name);
            return byName;
        }

        if (!hasPlain)
        {
            throw SqlErrors.Parameters($"The parameter {name} has no value.", statementIndex);
        }

        _used.Add(plain);
        return byPlain!;
    }

    private string Found(string?[] parameters) => _script
        ? $", and of the script's {_values.Positional.Count} too few are left"
        : $", {_values.Positional.Count} came" + (CountPositional(parameters) == parameters.Length ? "" : " besides the named ones");
}
