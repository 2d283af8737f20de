using System.Reflection;

namespace ReplicatedSqlite;

/// <summary>Makes a <typeparamref name="T"/> of a row.</summary>
internal static class RowMapper<T>
{
    private static readonly bool _isValue = IsValue(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T));

    /// <summary>The way from rows with these columns.</summary>
    /// <exception cref="InvalidOperationException">The type and the columns do not fit.</exception>
    public static Func<Row, T?> For(ResultColumns columns)
    {
        if (_isValue) return static row => row.Get<T>(0);
        if (typeof(T) == typeof(Row)) return static row => (T)(object)row;
        if (typeof(T) == typeof(object?[])) return static row => (T)(object)row.ToArray();
        if (typeof(T).IsAssignableFrom(typeof(Dictionary<string, object?>))) return static row => (T)(object)ToDictionary(row);
        var constructor = typeof(T).GetConstructors().OrderByDescending(candidate => candidate.GetParameters().Length).FirstOrDefault(candidate => Fits(candidate, columns))
            ?? throw new InvalidOperationException(
                $"{typeof(T)} has no public constructor whose parameters are all columns of the result ({string.Join(", ", columns.Select(column => column.Name))}). Name the columns after them, with AS.");
        return For(columns, constructor);
    }

    private static Func<Row, T?> For(ResultColumns columns, ConstructorInfo constructor)
    {
        var parameters = constructor.GetParameters();
        var places = Array.ConvertAll(parameters, parameter => Find(columns, parameter.Name!));
        var invoker = ConstructorInvoker.Create(constructor);
        var setters = typeof(T).GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.SetMethod is { IsPublic: true })
            .Select(property => (Property: property, Place: Find(columns, property.Name), Set: MethodInvoker.Create(property.SetMethod!)))
            .Where(setter => setter.Place >= 0 && !places.Contains(setter.Place))
            .ToArray();
        return row =>
        {
            var arguments = new object?[parameters.Length];
            for (var i = 0; i < arguments.Length; i++) arguments[i] = ValueOf(row, places[i], parameters[i].ParameterType);
            object made = invoker.Invoke(arguments.AsSpan());
            foreach (var (property, place, set) in setters)
            {
                if (!row.IsNull(place) || AllowsNull(property.PropertyType)) set.Invoke(made, ValueOf(row, place, property.PropertyType));
            }

            return (T)made;
        };
    }

    private static object? ValueOf(Row row, int place, Type type)
    {
        if (!row.IsNull(place)) return row.Get(place, Nullable.GetUnderlyingType(type) ?? type);
        return AllowsNull(type) ? null : throw new InvalidCastException($"Column '{row.Columns[place].Name}' holds NULL in this row; {type.Name} was asked for. Make it nullable.");
    }

    private static bool AllowsNull(Type type) => !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;

    private static bool Fits(ConstructorInfo constructor, ResultColumns columns)
    {
        var parameters = constructor.GetParameters();
        return (parameters.Length != 1 || parameters[0].ParameterType != typeof(T)) && Array.TrueForAll(parameters, parameter => Find(columns, parameter.Name!) >= 0);
    }

    private static int Find(ResultColumns columns, string name)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (IsSame(columns[i].Name, name)) return i;
        }

        return -1;
    }

    // "customer_id" is CustomerId.
    private static bool IsSame(string column, string member) =>
        column.Equals(member, StringComparison.OrdinalIgnoreCase)
        || column.Replace("_", "", StringComparison.Ordinal).Equals(member.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, object?> ToDictionary(Row row)
    {
        var values = new Dictionary<string, object?>(row.FieldCount, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < row.FieldCount; i++) values[row.Columns[i].Name] = row[i];
        return values;
    }

    private static bool IsValue(Type type) =>
        type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(object) || type == typeof(byte[]) || type == typeof(decimal) || type == typeof(Guid) || type == typeof(DateTime)
        || type == typeof(DateTimeOffset) || type == typeof(DateOnly) || type == typeof(TimeOnly) || type == typeof(TimeSpan) || type == typeof(ReadOnlyMemory<byte>);
}
