using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>SQL with its parameters. Immutable. Empty SQL means the previous statement's SQL again, with other parameters.</summary>
public sealed class SqlStatement
{
    /// <summary>One statement (or, where a script is asked for, several).</summary>
    public SqlStatement(string sql, SqlParameters? parameters = null)
    {
        ArgumentNullException.ThrowIfNull(sql);
        SqlValueWriter.CheckText(sql, "The SQL");
        Sql = sql;
        Parameters = parameters ?? SqlParameters.None;
    }

    /// <summary>The SQL.</summary>
    public string Sql { get; }

    /// <summary>Its parameters.</summary>
    public SqlParameters Parameters { get; }

    /// <summary>SQL without parameters.</summary>
    public static implicit operator SqlStatement(string sql) => new(sql);

    /// <summary>SQL without parameters.</summary>
    public static SqlStatement FromString(string sql) => new(sql);

    internal Statement ToMessage()
    {
        var message = new Statement { Sql = Sql };
        Parameters.AddTo(message);
        return message;
    }
}
