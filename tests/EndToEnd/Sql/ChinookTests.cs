using System.Text.Json;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Real data, loaded through the shell in one region: every region answers analytical queries as plain SQLite does.</summary>
public sealed class ChinookTests
{
    private static readonly string _file = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../../shared/data/chinook.sql"));

    private static readonly string[] _queries =
    [
        "SELECT count(*) AS n, sum(Milliseconds) AS ms, avg(UnitPrice) AS price, min(Name) AS first, max(Name) AS last FROM Track",
        "SELECT ar.Name, count(*) AS tracks FROM Artist ar JOIN Album al USING (ArtistId) JOIN Track t USING (AlbumId) GROUP BY ar.ArtistId ORDER BY tracks DESC, ar.Name LIMIT 20",
        "SELECT BillingCountry, count(*) AS invoices, round(sum(Total), 2) AS total FROM Invoice GROUP BY BillingCountry HAVING invoices > 5 ORDER BY total DESC, BillingCountry",
        "SELECT g.Name, count(il.InvoiceLineId) AS sold, total(il.UnitPrice * il.Quantity) AS revenue FROM Genre g LEFT JOIN Track t USING (GenreId) LEFT JOIN InvoiceLine il USING (TrackId) GROUP BY g.GenreId ORDER BY sold DESC, g.Name",
        "SELECT c.LastName, i.InvoiceDate, i.Total, round(sum(i.Total) OVER (PARTITION BY c.CustomerId ORDER BY i.InvoiceDate, i.InvoiceId), 2) AS running FROM Customer c JOIN Invoice i USING (CustomerId) ORDER BY c.CustomerId, i.InvoiceDate, i.InvoiceId",
        "SELECT * FROM (SELECT t.Name, g.Name AS genre, t.Milliseconds, rank() OVER (PARTITION BY t.GenreId ORDER BY t.Milliseconds DESC, t.TrackId) AS place FROM Track t JOIN Genre g USING (GenreId)) WHERE place <= 3 ORDER BY genre, place",
        "WITH RECURSIVE boss (id, name, depth) AS (SELECT EmployeeId, LastName, 0 FROM Employee WHERE ReportsTo IS NULL UNION ALL SELECT e.EmployeeId, e.LastName, depth + 1 FROM Employee e JOIN boss ON e.ReportsTo = boss.id) SELECT * FROM boss ORDER BY depth, id",
        "WITH months AS (SELECT strftime('%Y-%m', InvoiceDate) AS month, sum(Total) AS total FROM Invoice GROUP BY 1) SELECT month, round(total, 2) AS total, round(total - lag(total) OVER (ORDER BY month), 2) AS growth FROM months ORDER BY month",
        "SELECT mt.Name, sum(t.Bytes) AS bytes, count(DISTINCT t.AlbumId) AS albums, avg(t.Milliseconds / 1000.0) AS seconds FROM MediaType mt JOIN Track t USING (MediaTypeId) GROUP BY mt.MediaTypeId ORDER BY bytes DESC",
        "SELECT e.FirstName || ' ' || e.LastName AS seller, count(DISTINCT c.CustomerId) AS customers, round(sum(i.Total), 2) AS total FROM Employee e JOIN Customer c ON c.SupportRepId = e.EmployeeId JOIN Invoice i USING (CustomerId) GROUP BY e.EmployeeId ORDER BY total DESC",
        "SELECT p.Name, count(*) AS tracks, group_concat(DISTINCT substr(t.Name, 1, 1)) AS letters FROM Playlist p JOIN PlaylistTrack pt USING (PlaylistId) JOIN (SELECT * FROM Track ORDER BY TrackId) t USING (TrackId) GROUP BY p.PlaylistId ORDER BY p.PlaylistId",
        "SELECT Composer, count(*) AS n FROM Track WHERE Composer LIKE '%é%' OR Composer GLOB '*[ÄÖÜäöü]*' OR Name LIKE '%''%' GROUP BY Composer ORDER BY n DESC, Composer",
        "SELECT c.Country, c.LastName, c.Company, c.Fax FROM Customer c WHERE NOT EXISTS (SELECT 1 FROM Invoice i WHERE i.CustomerId = c.CustomerId AND i.Total > 10) OR c.Company IS NULL ORDER BY c.CustomerId",
        "SELECT ntile(4) OVER (ORDER BY Total, InvoiceId) AS quarter, InvoiceId, Total, percent_rank() OVER (ORDER BY Total) AS part FROM Invoice ORDER BY InvoiceId",
    ];

    [Fact]
    public async Task Analytical_queries_over_loaded_data_answer_in_every_region_as_plain_SQLite_does()
    {
        if (!File.Exists(_file))
        {
            Assert.Skip("There is no ../shared/data/chinook.sql beside the repository.");
        }

        using var folder = new TemporaryFolder();
        var plain = Path.Combine(folder.Path, "plain.db");
        await LoadPlainAsync(plain);
        await using var cluster = await ClusterFixture.StartAsync();
        var server = cluster.Node(ClusterFixture.Weur).GrpcAddress.Authority;
        Assert.Equal((0, ""), await RsqlAsync("--server", server, "create", "chinook"));
        Assert.Equal((0, ""), await RsqlAsync("--server", server, "chinook", $".read {_file}"));
        var bookmark = await cluster.SettleAsync("chinook");
        foreach (var query in _queries)
        {
            var (code, expected, errors) = await RsqlProcess.RunAsync("sqlite3", ["-json", plain, query]);
            Assert.True(code == 0, errors);
            using var rows = JsonDocument.Parse(expected);
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var answer = await cluster.At(region, "chinook", bookmark).ExecuteAsync(query);
                Assert.Equal(region == ClusterFixture.Weur, answer.Served.Primary);
                Compare(query, rows.RootElement, answer.First);
            }
        }

        Assert.Equal("ok", await cluster.At(ClusterFixture.Apac, "chinook", bookmark).QueryScalarAsync<string>("PRAGMA integrity_check"));
    }

    private static async Task LoadPlainAsync(string path)
    {
        try
        {
            var (code, _, errors) = await RsqlProcess.RunAsync("sqlite3", [path, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", $".read {_file}"]);
            Assert.True(code == 0, errors);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no sqlite3 on this machine to compare with.");
        }
    }

    private static async Task<(int Code, string Errors)> RsqlAsync(params string[] arguments)
    {
        var (code, _, errors) = await RsqlProcess.RunAsync(arguments);
        return (code, errors);
    }

    private static void Compare(string query, JsonElement expected, ResultSet found)
    {
        Assert.NotEqual(0, expected.GetArrayLength());
        Assert.Equal(expected.GetArrayLength(), found.Rows.Count);
        var i = 0;
        foreach (var row in expected.EnumerateArray())
        {
            var column = 0;
            foreach (var value in row.EnumerateObject())
            {
                Assert.Equal(value.Name, found.Columns[column].Name);
                Assert.True(IsSame(value.Value, found.Rows[i][column]), $"{query}\nrow {i}, {value.Name}: {value.Value} was expected, {found.Rows[i][column]} came");
                column++;
            }

            i++;
        }
    }

    private static bool IsSame(JsonElement expected, object? found) => (expected.ValueKind, found) switch
    {
        (JsonValueKind.Null, null) => true,
        (JsonValueKind.String, string text) => expected.GetString() == text,
        (JsonValueKind.Number, long number) => expected.TryGetInt64(out var integer) && integer == number,
        (JsonValueKind.Number, double number) => !expected.TryGetInt64(out _) && Math.Abs(expected.GetDouble() - number) <= 1e-11 * Math.Abs(number), // older versions round while they add
        _ => false,
    };
}
