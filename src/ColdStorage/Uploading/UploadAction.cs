using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>What <see cref="UploadCore"/> wants done. Each is answered by an event.</summary>
internal abstract record UploadAction
{
    private UploadAction()
    {
    }

    /// <summary>Look in the store for the end of what it has of this log: <see cref="UploadCore.Found"/>, or <see cref="UploadCore.Failed"/>.</summary>
    internal sealed record Find : UploadAction;

    /// <summary>Store a segment of the confirmed entries behind a position: <see cref="UploadCore.Stored"/>, <see cref="UploadCore.LogGone"/> or <see cref="UploadCore.Failed"/>.</summary>
    internal sealed record Store(Position After) : UploadAction;

    /// <summary>Copy the main file's pages: <see cref="UploadCore.Taken"/> or <see cref="UploadCore.SnapshotFailed"/>.</summary>
    internal sealed record TakeSnapshot : UploadAction;

    /// <summary>Give the snapshot that was taken its name: <see cref="UploadCore.Published"/> or <see cref="UploadCore.SnapshotFailed"/>.</summary>
    internal sealed record Publish : UploadAction;
}
