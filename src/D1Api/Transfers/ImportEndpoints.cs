using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary><c>POST …/import</c> and the upload between: the SQL of a file runs in the database as one transaction.</summary>
internal sealed class ImportEndpoints(INodeCalls node, RequestBodies bodies, D1ApiOptions options, StoredFiles files, TransferJobs jobs, SignedUrls urls, TimeProvider time)
{
    private const int BufferBytes = 256 * 1024;

    public async Task ImportAsync(HttpContext http)
    {
        var body = await bodies.ReadAsync(http, ImportBody.Read);
        var name = Paths.Database(http);
        var database = await node.GetAsync(new GetDatabaseRequest { Database = name }, http);
        if (body.Action == "poll")
        {
            await AnswerAsync(http, jobs.Import(database.Id));
            return;
        }

        var run = await node.PrepareImportAsync(new ImportHeader { Database = database.Id, Format = ExportFormat.Sql, Append = true }, http); // whether the caller may, is said before the upload
        if (body.Action == "init")
        {
            if (files.FindUpload(database.Id, body.Etag) is not { } known)
            {
                AskForUpload(http, database, files.Add(database.Id, body.Etag));
                return;
            }

            await BeginAsync(http, database, known, run);
            return;
        }

        var file = files.Find(body.FileName);
        if (file is not { IsComplete: true } || file.DatabaseId != database.Id || file.Etag != body.Etag)
        {
            throw ApiException.Query($"There is no upload '{body.FileName}' with the MD5 {body.Etag} for this database: it was not sent, or is older than {SignedUrls.Lifetime.TotalHours} h. Begin with init.");
        }

        await BeginAsync(http, database, file, run);
    }

    /// <summary><c>PUT</c> to the address that init gave.</summary>
    public async Task UploadAsync(HttpContext http)
    {
        var name = http.Request.RouteValues["file"] as string ?? "";
        urls.Check("PUT", name, http.Request);
        if (files.Find(name) is not { } file || !file.TryReceive())
        {
            throw ApiException.Query("This file was uploaded already, is being uploaded, or was asked for too long ago. Begin with init.");
        }

        try
        {
            http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize = options.MaxUploadBytes;
            var etag = await ReceiveAsync(http, file.Path);
            if (etag != file.Etag)
            {
                throw ApiException.Query($"The upload has the MD5 {etag}, and {file.Etag} was announced. Nothing was imported; send it again.");
            }

            file.IsComplete = true;
            http.Response.Headers.ETag = $"\"{etag}\"";
            Answer.Write(http, json => json.WriteNullValue());
        }
        finally
        {
            file.EndReceive();
        }
    }

    private static async Task<string> ReceiveAsync(HttpContext http, string path)
    {
#pragma warning disable CA5351 // D1's clients compare the MD5 of what was sent. It guards against mishaps, not against anybody.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var buffer = new byte[BufferBytes];
        while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is > 0 and var read)
        {
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void AskForUpload(HttpContext http, Database database, StoredFile file) => Answer.Write(http, json =>
    {
        Begin(json, success: true);
        json.WriteString("at_bookmark"u8, database.Bookmark);
        json.WriteString("filename"u8, file.Name);
        json.WriteString("upload_url"u8, urls.Make("PUT", file.Name, http.Request));
        json.WriteEndObject();
    });

    private async Task BeginAsync(HttpContext http, Database database, StoredFile file, Func<string, CancellationToken, Task<Database>> run)
    {
        var job = jobs.BeginImport(database.Id, () =>
        {
            var work = Task.Run<Database?>(async () => await run(file.Path, node.Stopping));
            file.User = work;
            return new TransferJob(database.Id, database.Bookmark, new SqlDumpOptions(), file, work);
        });
        await AnswerAsync(http, job);
    }

    private async Task AnswerAsync(HttpContext http, TransferJob? job)
    {
        if (job is null)
        {
            Answer.Write(http, json =>
            {
                Begin(json, success: false);
                json.WriteString("error"u8, "Not currently importing anything.");
                json.WriteEndObject();
            });
            return;
        }

        if (!await job.WaitAsync(time, http.RequestAborted))
        {
            Answer.Write(http, json =>
            {
                Begin(json, success: true, "Processing the import");
                json.WriteString("status"u8, "active");
                json.WriteString("at_bookmark"u8, job.AtBookmark);
                json.WriteEndObject();
            });
            return;
        }

        try
        {
            var imported = (await job.ResultAsync())!;
            BookmarkHeader.Write(http, imported.Bookmark);
            Answer.Write(http, json => WriteComplete(json, job, imported));
        }
        catch (Exception failure) when (!http.Response.HasStarted)
        {
            TransferAnswers.WriteFailure(http, "import", job, failure);
        }
    }

    private static void WriteComplete(Utf8JsonWriter json, TransferJob job, Database imported)
    {
        var did = imported.Import ?? new ImportResult();
        Begin(json, success: true);
        json.WriteString("status"u8, "complete");
        json.WriteString("at_bookmark"u8, job.AtBookmark);
        json.WriteStartObject("result"u8);
        json.WriteNumber("num_queries"u8, did.Statements);
        json.WriteString("final_bookmark"u8, imported.Bookmark);
        json.WriteStartObject("meta"u8);
        json.WriteString("served_by_region"u8, imported.PrimaryRegion.ToUpperInvariant());
        json.WriteBoolean("served_by_primary"u8, true);
        json.WriteNumber("duration"u8, did.DurationMs);
        json.WriteNumber("changes"u8, did.Changes);
        json.WriteNumber("last_row_id"u8, 0);
        json.WriteBoolean("changed_db"u8, did.Changes != 0 || did.RowsWritten != 0);
        json.WriteNumber("size_after"u8, imported.SizeBytes);
        json.WriteNumber("rows_read"u8, did.RowsRead);
        json.WriteNumber("rows_written"u8, did.RowsWritten);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Begin(Utf8JsonWriter json, bool success, string? message = null) => TransferAnswers.Begin(json, "import", success, message);
}
