using System.Buffers;
using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Reads what <c>query</c> and <c>raw</c> are sent: <c>{"sql", "params"}</c>, with several statements or one, or <c>{"batch": [{"sql", "params"}, …]}</c>.</summary>
internal static class QueryBody
{
    // A few bytes of JSON become some hundred bytes of memory: bounds of what one body may become.
    private const int MaxStatements = 10_000;
    private const int MaxParameters = 1_000_000;

    private const string NoStatements = "No SQL statements detected.";

    /// <summary>The statements as one request, to run as one transaction.</summary>
    /// <exception cref="ApiException">The body is not of that shape.</exception>
    public static ExecuteRequest Read(ReadOnlySequence<byte> body)
    {
        var parts = JsonBody.ReadObject(body, new Parts(), ReadPart);
        var request = new ExecuteRequest();
        if (parts.Batch is { } batch)
        {
            if (parts.Single.HasSql)
            {
                throw ApiException.Invalid("The body has both sql and batch: one of the two.");
            }

            foreach (var item in batch)
            {
                request.Statements.Add(item.ToStatement());
            }
        }
        else
        {
            var statement = parts.Single.ToStatement();
            request.Statements.Add(statement);
            request.Script = MayBeSeveral(statement.Sql);
        }

        return request.Statements.Count > 0 ? request : throw ApiException.Query(NoStatements);
    }

    // SQLite alone knows where a statement ends. Without a semicolon before the end there is surely one, and its text need not be taken apart.
    private static bool MayBeSeveral(string sql) => sql.AsSpan().TrimEnd().TrimEnd(';').Contains(';');

    private static void ReadPart(string name, ref Utf8JsonReader reader, Parts parts)
    {
        if (name != "batch")
        {
            ReadStatement(name, ref reader, parts.Single);
            return;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw ApiException.Invalid($"Invalid property: batch => an array was wanted, not {JsonBody.Name(reader.TokenType)}.");
        }

        parts.Batch = [];
        var parameters = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (parts.Batch.Count == MaxStatements || parameters > MaxParameters)
            {
                throw ApiException.Invalid($"Invalid property: batch => more than {MaxStatements} statements or {MaxParameters} parameters. Send several batches.");
            }

            var item = new StatementParts();
            JsonBody.ReadObject(ref reader, item, ReadStatement);
            parts.Batch.Add(item);
            parameters += item.Parameters.Count;
        }
    }

    private static void ReadStatement(string name, ref Utf8JsonReader reader, StatementParts statement)
    {
        switch (name)
        {
            case "sql":
                statement.Sql = JsonBody.Text(name, ref reader);
                break;
            case "params":
                ParameterReader.Read(ref reader, statement.Parameters);
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private sealed class Parts
    {
        public StatementParts Single { get; } = new();

        public List<StatementParts>? Batch { get; set; }
    }

    private sealed class StatementParts
    {
        public string Sql { get; set; } = "";

        public List<Value> Parameters { get; } = [];

        public bool HasSql => Sql.Length > 0 || Parameters.Count > 0;

        public Statement ToStatement()
        {
            if (string.IsNullOrWhiteSpace(Sql))
            {
                throw ApiException.Query(NoStatements);
            }

            var statement = new Statement { Sql = Sql };
            statement.Positional.AddRange(Parameters);
            return statement;
        }
    }
}
