// A small web shop against a cluster that ./run started. Start one in front of each region, and order through one and look through another:
//   dotnet run --project samples/Shop -- --urls http://127.0.0.1:8101 --endpoint 127.0.0.1:7101
//   dotnet run --project samples/Shop -- --urls http://127.0.0.1:8103 --endpoint 127.0.0.1:7103
using ReplicatedSqlite.AspNetCore;
using ReplicatedSqlite.Samples.Shop;

var builder = WebApplication.CreateBuilder(args);
var endpoint = builder.Configuration["endpoint"] ?? "127.0.0.1:7101,127.0.0.1:7102,127.0.0.1:7103";
var database = builder.Configuration["database"] ?? "webshop";
builder.Services.AddReplicatedSqlite($"Endpoint={endpoint};Database={database};Idempotent Writes=true");
builder.Services.AddHealthChecks().AddReplicatedSqlite();
builder.Services.AddScoped<ShopStore>();

var app = builder.Build();
app.UseReplicatedSqliteSession();
app.MapHealthChecks("/health");
app.MapGet("/", async (ShopStore shop, CancellationToken cancellationToken, long customer = 1) =>
    Results.Content(ShopPage.Render(customer, await shop.ProductsAsync(cancellationToken), await shop.OrdersAsync(customer, cancellationToken)), "text/html"));
app.MapGet("/orders", async (ShopStore shop, long customer, CancellationToken cancellationToken) => await shop.OrdersAsync(customer, cancellationToken));
app.MapPost("/orders", async (ShopStore shop, HttpRequest request, long customer, long product, CancellationToken cancellationToken) =>
{
    var id = await shop.OrderAsync(customer, product, cancellationToken);
    return request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) ? Results.Redirect($"/?customer={customer}") : Results.Ok(new { id });
});

await using (var scope = app.Services.CreateAsyncScope())
{
    await scope.ServiceProvider.GetRequiredService<ShopStore>().CreateAsync(app.Lifetime.ApplicationStopping);
}

await app.RunAsync();
