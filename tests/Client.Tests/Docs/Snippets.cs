using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.AspNetCore;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>The snippets of docs/client.md and of the packages' READMEs, letter for letter: <see cref="SnippetTests"/> compares them.</summary>
internal static class Snippets
{
    public static async Task StartAsync()
    {
        await using var dataSource = ReplicatedSqliteDataSource.Create("Endpoint=127.0.0.1:7101;Database=shop");
        await using var connection = await dataSource.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO orders (customer_id) VALUES (@customer)";
        command.Parameters.AddWithValue("@customer", 7);
        await command.ExecuteNonQueryAsync();
        Console.WriteLine(command.LastInsertRowId);
    }

    public static async Task ReadAsync(ReplicatedSqliteConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new ReplicatedSqliteCommand("SELECT id, customer_id FROM orders WHERE customer_id = ?", connection);
        command.Parameters.AddValue(7); // by place; AddWithValue("@name", …) by name
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            Console.WriteLine($"{reader.GetInt64(0)} {reader["customer_id"]}");
    }

    public static async Task TransactAsync(ReplicatedSqliteConnection connection)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        await using var insert = connection.CreateCommand(); // is in the transaction already
        insert.CommandText = "INSERT INTO orders (customer_id) VALUES (8)";
        await insert.ExecuteNonQueryAsync();
        await transaction.SaveAsync("one");
        await insert.ExecuteNonQueryAsync();
        await transaction.RollbackAsync("one");
        await transaction.CommitAsync(); // durable when this returns
    }

    public static async Task BatchAsync(ReplicatedSqliteConnection connection)
    {
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add("UPDATE orders SET customer_id = 9 WHERE customer_id = 8");
        batch.BatchCommands.Add("SELECT count(*) FROM orders");
        Console.WriteLine(await batch.ExecuteScalarAsync());
    }

    public static async Task<(int, long, Bookmark)> SessionAsync(ReplicatedSqliteDataSource dataSource)
    {
        var session = dataSource.WithSession(); // or WithSession(bookmark), WithSession(Session.FirstPrimary)
        await session.Prepare("INSERT INTO orders (customer_id) VALUES (?)").Bind(7).RunAsync();
        var orders = await session.Prepare("SELECT id, customer_id FROM orders WHERE customer_id = ?").Bind(7).AllAsync<Order>();
        var newest = await session.Prepare("SELECT max(id) FROM orders").FirstAsync<long>();
        var insert = session.Prepare("INSERT INTO orders (customer_id) VALUES (?)");
        await session.BatchAsync([insert.Bind(1), insert.Bind(2)]); // one transaction
        Bookmark bookmark = session.Bookmark!.Value; // for whatever goes on with the user's work
        await using var inSession = await dataSource.OpenConnectionAsync(session);
        return (orders.Count, newest, bookmark);
    }

    public static async Task<(int, Bookmark?)> ShortSessionAsync(ReplicatedSqliteDataSource dataSource)
    {
        var session = dataSource.WithSession();
        await session.Prepare("INSERT INTO orders (customer_id) VALUES (?)").Bind(7).RunAsync();
        var orders = await session.Prepare("SELECT id, customer_id FROM orders WHERE customer_id = ?").Bind(7).AllAsync<Order>();
        var bookmark = session.Bookmark; // for the user's next request, wherever it is served
        return (orders.Count, bookmark);
    }

    public static void Web(WebApplicationBuilder builder)
    {
        builder.Services.AddReplicatedSqlite("Endpoint=127.0.0.1:7101;Database=shop");
        builder.Services.AddHealthChecks().AddReplicatedSqlite();
        var app = builder.Build();
        app.UseReplicatedSqliteSession();
        app.MapHealthChecks("/health");
        app.MapGet("/orders", async (Session session) => await session.Prepare("SELECT id, customer_id FROM orders ORDER BY id DESC").AllAsync<Order>());
        app.MapPost("/orders", async (ReplicatedSqliteConnection connection, int customer) =>
        {
            await connection.OpenAsync();
            await using var command = new ReplicatedSqliteCommand("INSERT INTO orders (customer_id) VALUES (?)", connection);
            command.Parameters.AddValue(customer);
            return await command.ExecuteNonQueryAsync();
        });
    }

    public static async Task ErrorsAsync(ReplicatedSqliteCommand command)
    {
        try
        {
            await command.ExecuteNonQueryAsync();
        }
        catch (WriteOutcomeUnknownException e)
        {
            Console.WriteLine($"It may be written or not: {e.CommitState}"); // with Idempotent Writes=true it would have been made again
        }
        catch (ReplicatedSqliteException e) when (e.SqliteExtendedErrorCode == 2067)
        {
            Console.WriteLine($"Statement {e.StatementIndex} breaks a UNIQUE constraint; nothing was written: {e.CommitState}");
        }
    }

    public static async Task LogAsync(string connectionString, ILoggerFactory loggerFactory)
    {
        await using var logged = ReplicatedSqliteDataSource.Create(connectionString, new ReplicatedSqliteClientOptions { LoggerFactory = loggerFactory });
    }

    internal sealed record Order(long Id, long CustomerId);
}
