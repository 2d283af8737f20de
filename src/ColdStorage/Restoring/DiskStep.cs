namespace ReplicatedSqlite.ColdStorage;

/// <summary>What a restore does to the disk.</summary>
internal enum DiskStep
{
    /// <summary>It writes pages.</summary>
    Write,

    /// <summary>It gives the file another length.</summary>
    SetSize,

    /// <summary>It syncs the file.</summary>
    Sync,

    /// <summary>It has.</summary>
    Synced,

    /// <summary>It notes durably how far it has come.</summary>
    Note,
}
