namespace ReplicatedSqlite.Sqlite;

/// <summary>Where the rows of a statement go.</summary>
internal interface IRowSink
{
    /// <summary>Rows taken since the last batch was handed on.</summary>
    int Rows { get; }

    /// <summary>What they take on the wire: never less than the truth.</summary>
    long Bytes { get; }

    /// <summary>Adds the row that the statement stands on.</summary>
    /// <param name="statement">After a step that found a row.</param>
    /// <param name="maxBytes">A batch that has rows is not made larger than this: then the row is left out.</param>
    /// <returns><see langword="false"/> if the row was left out. It is still the statement's row.</returns>
    bool TryAdd(nint statement, long maxBytes);
}
