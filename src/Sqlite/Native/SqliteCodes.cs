namespace ReplicatedSqlite.Sqlite;

/// <summary>SQLite's numbers, by SQLite's names. Source: sqlite3.h of the pinned version.</summary>
#pragma warning disable CS1591 // sqlite3.h explains them.
public static class SqliteCodes
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int Internal = 2;
    public const int Perm = 3;
    public const int Abort = 4;
    public const int Busy = 5;
    public const int Locked = 6;
    public const int NoMemory = 7;
    public const int ReadOnly = 8;
    public const int Interrupt = 9;
    public const int IoError = 10;
    public const int Corrupt = 11;
    public const int NotFound = 12;
    public const int Full = 13;
    public const int CantOpen = 14;
    public const int Schema = 17;
    public const int TooBig = 18;
    public const int Constraint = 19;
    public const int Mismatch = 20;
    public const int Misuse = 21;
    public const int Auth = 23;
    public const int Range = 25;
    public const int NotADatabase = 26;
    public const int Row = 100;
    public const int Done = 101;
    public const int BusySnapshot = Busy | (2 << 8);

    public const int ConstraintForeignKey = Constraint | (3 << 8);

    public const int OpenReadOnly = 0x1;
    public const int OpenReadWrite = 0x2;
    public const int OpenCreate = 0x4;
    public const int OpenNoMutex = 0x8000;
    public const int OpenExtendedResultCodes = 0x02000000;

    public const int ConfigEnableFkey = 1002;
    public const int ConfigNoCheckpointOnClose = 1006;
    public const int ConfigDefensive = 1010;
    public const int ConfigDoubleQuotedDml = 1013;
    public const int ConfigDoubleQuotedDdl = 1014;
    public const int ConfigTrustedSchema = 1017;

    public const int FileControlFilePointer = 7;
    public const int FileControlJournalPointer = 28;

    public const int CheckpointPassive = 0;
    public const int CheckpointFull = 1;
    public const int CheckpointRestart = 2;
    public const int CheckpointTruncate = 3;

    public const int PreparePersistent = 1;

    public const int DbStatusCacheWrite = 9;
    public const int DbStatusDeferredForeignKeys = 10;
    public const int StatementStatusReprepare = 5;
    public const int FileControlDataVersion = 35;

    public const int TypeInteger = 1;
    public const int TypeFloat = 2;
    public const int TypeText = 3;
    public const int TypeBlob = 4;
    public const int TypeNull = 5;

    /// <summary>The primary code of an extended one.</summary>
    public static int Primary(int code) => code & 0xff;
}
#pragma warning restore CS1591
