using System.Numerics;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The little that is read from SQL text without SQLite.</summary>
internal static class SqlText
{
    /// <summary>Whether the first word, after blanks, comments and lone semicolons, is VACUUM: SQLite's authorizer is not told of it.</summary>
    /// <typeparam name="T">Letters, or bytes of UTF-8.</typeparam>
    public static bool IsVacuum<T>(ReadOnlySpan<T> sql)
        where T : unmanaged, IBinaryInteger<T> => BeginsWith(sql, "VACUUM");

    /// <summary>Whether the first word is CREATE or DROP: of one that has nothing to do (IF EXISTS, IF NOT EXISTS) SQLite's authorizer may not be told.</summary>
    /// <typeparam name="T">Letters, or bytes of UTF-8.</typeparam>
    public static bool IsCreateOrDrop<T>(ReadOnlySpan<T> sql)
        where T : unmanaged, IBinaryInteger<T> => BeginsWith(sql, "DROP") || BeginsWith(sql, "CREATE");

    /// <summary>Refuses a NUL character: SQLite's text ends there, and the rest would be dropped without a word.</summary>
    /// <exception cref="RequestException">INVALID_REQUEST.</exception>
    public static void CheckNoNul(string sql, int statementIndex)
    {
        var at = sql.IndexOf('\0', StringComparison.Ordinal);
        if (at >= 0)
        {
            throw SqlErrors.Invalid(
                $"The SQL has a NUL character at character {at}. SQL text cannot hold one; pass the value as a parameter.", statementIndex);
        }
    }

    private static bool BeginsWith<T>(ReadOnlySpan<T> sql, string word)
        where T : unmanaged, IBinaryInteger<T>
    {
        var rest = sql[SkipBlank(sql)..];
        for (var i = 0; i < word.Length; i++)
        {
            if (i >= rest.Length || (Code(rest[i]) & ~0x20) != word[i])
            {
                return false;
            }
        }

        return rest.Length == word.Length || !IsWordLetter(Code(rest[word.Length]));
    }

    private static int SkipBlank<T>(ReadOnlySpan<T> sql)
        where T : unmanaged, IBinaryInteger<T>
    {
        var i = 0;
        while (i < sql.Length)
        {
            var letter = Code(sql[i]);
            var next = i + 1 < sql.Length ? Code(sql[i + 1]) : 0;
            if (letter is ' ' or '\t' or '\n' or '\f' or '\r' or ';' or 0xFEFF or 0xEF or 0xBB or 0xBF) // the last three: the byte order mark in UTF-8
            {
                i++;
            }
            else if (letter == '-' && next == '-')
            {
                for (i += 2; i < sql.Length && Code(sql[i]) != '\n'; i++)
                {
                }
            }
            else if (letter == '/' && next == '*')
            {
                for (i += 2; i + 1 < sql.Length && !(Code(sql[i]) == '*' && Code(sql[i + 1]) == '/'); i++)
                {
                }

                i = Math.Min(i + 2, sql.Length);
            }
            else
            {
                break;
            }
        }

        return i;
    }

    private static int Code<T>(T letter)
        where T : unmanaged, IBinaryInteger<T> => int.CreateTruncating(letter);

    private static bool IsWordLetter(int letter) =>
        letter is (>= '0' and <= '9') or (>= 'A' and <= 'Z') or (>= 'a' and <= 'z') or '_' or '$' or >= 0x80;
}
