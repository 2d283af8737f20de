using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>A page is not the one that a patch was made for: this copy and the log have diverged. It must be built again.</summary>
public sealed class PageMismatchException(uint page, Position entry, string when, uint found, uint wanted) : Exception(
    $"Page {page} has CRC-32C {found:x8} {when} the patch of the entry that ends at {entry}; {wanted:x8} was wanted. This copy is not the one that the log describes: build it again.");
