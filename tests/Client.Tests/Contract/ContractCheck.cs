using System.Data.Common;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>One thing that ADO.NET's documentation promises of any provider, tried on an open connection to an empty database.</summary>
/// <param name="Name">What is tried.</param>
/// <param name="Run">Throws if it does not hold.</param>
internal sealed record ContractCheck(string Name, Action<DbConnection> Run);
