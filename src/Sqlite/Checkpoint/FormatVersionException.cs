namespace ReplicatedSqlite.Sqlite;

/// <summary>A file was written by a version of the product with another format. It is whole: nothing may be done to it here.</summary>
public sealed class FormatVersionException(string file, int found, int wanted) : IOException(
    $"'{file}' has format version {found}; this build reads version {wanted}. Nothing was changed. Run the version that wrote it.");
