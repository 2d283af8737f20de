using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary><c>…/time_travel/bookmark</c> and <c>…/time_travel/restore</c>. All that they are told stands in the query string.</summary>
internal sealed class TimeTravelEndpoints(INodeCalls node)
{
    public async Task GetBookmarkAsync(HttpContext http)
    {
        var found = await node.GetBookmarkAsync(new GetBookmarkRequest { Database = Paths.Database(http), At = Timestamp(http) }, http);
        BookmarkHeader.Write(http, found.Bookmark);
        Answer.Write(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("bookmark"u8, found.Bookmark);
            json.WriteEndObject();
        });
    }

    public async Task RestoreAsync(HttpContext http)
    {
        var (database, bookmark, at) = (Paths.Database(http), http.Request.Query["bookmark"].ToString(), Timestamp(http));
        if ((bookmark.Length > 0) == (at is not null))
        {
            throw ApiException.Invalid("Either bookmark or timestamp was wanted in the query string.");
        }

        if (at is not null)
        {
            bookmark = (await node.GetBookmarkAsync(new GetBookmarkRequest { Database = database, At = at }, http)).Bookmark;
        }

        var restored = await node.RestoreAsync(new RestoreRequest { Database = database, Bookmark = bookmark }, http);
        BookmarkHeader.Write(http, restored.Bookmark);
        Answer.Write(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("bookmark"u8, restored.Bookmark);
            json.WriteString("previous_bookmark"u8, restored.PreviousBookmark);
            json.WriteString("message"u8, $"The database was restored to {restored.RestoredTo}. To undo that, restore {restored.PreviousBookmark}.");
            json.WriteEndObject();
        });
    }

    private static Timestamp? Timestamp(HttpContext http)
    {
        var text = http.Request.Query["timestamp"].ToString();
        return text.Length == 0 ? null
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(at)
            : throw ApiException.Invalid($"Invalid property: timestamp => '{text}': a time such as 2026-11-21T09:30:00Z was wanted.");
    }
}
