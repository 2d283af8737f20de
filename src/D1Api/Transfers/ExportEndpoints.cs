using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary><c>POST …/export</c> and the download behind it: the database as SQL, while it goes on.</summary>
internal sealed class ExportEndpoints(INodeCalls node, RequestBodies bodies, StoredFiles files, TransferJobs jobs, SignedUrls urls, TimeProvider time)
{
    public async Task ExportAsync(HttpContext http)
    {
        var body = await bodies.ReadAsync(http, ExportBody.Read);
        var database = await node.GetAsync(new GetDatabaseRequest { Database = Paths.Database(http) }, http);
        var job = body.CurrentBookmark is { } bookmark
            ? jobs.Export(database.Id, bookmark, body.Options)
            : await BeginAsync(http, database, body.Options ?? new SqlDumpOptions());
        if (job is null || files.Find(job.File.Name) is null)
        {
            Answer.Write(http, json =>
            {
                TransferAnswers.Begin(json, "export", success: false);
                json.WriteString("error"u8, "Not currently exporting anything.");
                json.WriteEndObject();
            });
            return;
        }

        if (!await job.WaitAsync(time, http.RequestAborted))
        {
            Answer.Write(http, json =>
            {
                TransferAnswers.Begin(json, "export", success: true, "Generating the dump");
                json.WriteString("status"u8, "active");
                json.WriteString("at_bookmark"u8, job.AtBookmark);
                json.WriteEndObject();
            });
            return;
        }

        try
        {
            await job.ResultAsync();
        }
        catch (Exception failure)
        {
            TransferAnswers.WriteFailure(http, "export", job, failure);
            return;
        }

        Answer.Write(http, json =>
        {
            TransferAnswers.Begin(json, "export", success: true);
            json.WriteString("status"u8, "complete");
            json.WriteString("at_bookmark"u8, job.AtBookmark);
            json.WriteStartObject("result"u8);
            json.WriteString("filename"u8, job.File.Name);
            json.WriteString("signed_url"u8, urls.Make("GET", job.File.Name, http.Request));
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary><c>GET</c> of the address that the export gave.</summary>
    public async Task DownloadAsync(HttpContext http)
    {
        var name = http.Request.RouteValues["file"] as string ?? "";
        urls.Check("GET", name, http.Request);
        if (files.Find(name) is not { IsComplete: true } file)
        {
            throw new ApiException(StatusCodes.Status404NotFound, ApiCodes.NoRoute, "The file is not there any more. Export again.");
        }

        var response = http.Response;
        response.ContentType = "application/sql";
        response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        response.Headers.XContentTypeOptions = "nosniff";
        await using var content = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        response.ContentLength = content.Length;
        await content.CopyToAsync(response.Body, http.RequestAborted);
    }

    private async Task<TransferJob> BeginAsync(HttpContext http, Database database, SqlDumpOptions wanted)
    {
        var dump = wanted.Clone();
        dump.NoTransaction = true;
        var read = await node.PrepareExportAsync(new ExportRequest { Database = database.Id, Format = ExportFormat.Sql, Sql = dump }, http);
        var file = files.Add(database.Id, etag: "");
        return jobs.BeginExport(() =>
        {
            var work = Task.Run(() => WriteAsync(read(node.Stopping), file));
            file.User = work;
            return new TransferJob(database.Id, database.Bookmark, wanted, file, work);
        });
    }

    private static async Task<Database?> WriteAsync(IAsyncEnumerable<Chunk> chunks, StoredFile file)
    {
        await using (var target = new FileStream(file.Path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            await foreach (var chunk in chunks)
            {
                await target.WriteAsync(chunk.Data.Memory);
            }
        }

        file.IsComplete = true;
        return null;
    }
}
