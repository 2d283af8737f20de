using System.Data;
using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>What the checks are written with.</summary>
internal static class Contract
{
    public static DbCommand Command(DbConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    public static DbParameter Add(DbCommand command, string name, object? value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
        return parameter;
    }

    public static DbDataReader Read(DbConnection connection, string sql, CommandBehavior behavior = CommandBehavior.Default) => Command(connection, sql).ExecuteReader(behavior);

    public static object? Scalar(DbConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        return command.ExecuteScalar();
    }

    public static void Run(DbConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        command.ExecuteNonQuery();
    }

    /// <summary>Another connection of the same kind to the same database, closed.</summary>
    public static DbConnection Another(DbConnection connection)
    {
        var other = DbProviderFactories.GetFactory(connection)!.CreateConnection()!;
        other.ConnectionString = connection.ConnectionString;
        return other;
    }
}
