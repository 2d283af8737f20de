using System.Reflection;
using System.Reflection.Emit;
using System.Security.Cryptography;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router.Tests;

public sealed class TokenTextTests
{
    [Fact]
    public void A_token_opens_its_own_record_and_no_other()
    {
        var (token, other) = (TokenText.Create(), TokenText.Create());
        Assert.True(TokenText.TryParse(token.Reveal(), out var read));
        Assert.Equal(token.Id, read.Id);
        Assert.True(read.Opens(Record(token)));
        Assert.False(read.Opens(Record(other)));
        Assert.False(read.Opens(Record(token) with { SecretHash = "" }));
        Assert.False(read.Opens(Record(token) with { SecretHash = new string('z', 64) }));
        Assert.DoesNotContain(token.Reveal()[20..], token.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_kept_is_the_hash_of_the_secret()
    {
        var token = TokenText.Create();
        var secret = Convert.FromHexString(token.Reveal()[20..]);
        Assert.Equal(32, secret.Length);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(secret)), token.SecretHash);
    }

    [Fact]
    public void No_two_tokens_are_alike()
    {
        var tokens = Enumerable.Range(0, 1000).Select(_ => TokenText.Create().Reveal()).ToList();
        Assert.Equal(1000, tokens.Select(token => token[..19]).Distinct().Count());
        Assert.Equal(1000, tokens.Select(token => token[20..]).Distinct().Count());
    }

    [Theory]
    [InlineData("")]
    [InlineData("rs_")]
    [InlineData("rs_0123456789abcdef")]
    [InlineData("rs_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde")]
    [InlineData("rs_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0")]
    [InlineData("rs_0123456789abcdeg_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("rs_0123456789abcdef-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("rt_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("rs_0123456789abcdef_0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void Something_else_is_no_token(string text) => Assert.False(TokenText.TryParse(text, out _));

    [Theory]
    [InlineData(typeof(TokenText), nameof(TokenText.Opens))]
    [InlineData(typeof(NodeProof), nameof(NodeProof.IsNode))]
    public void Secrets_are_compared_in_constant_time(Type type, string method)
    {
        var called = Calls(type.GetMethod(method, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)!);
        Assert.Contains(called, callee => callee.DeclaringType == typeof(CryptographicOperations) && callee.Name == nameof(CryptographicOperations.FixedTimeEquals));
        Assert.DoesNotContain(called, callee => callee.Name is "Equals" or "op_Equality" or "SequenceEqual" or "SequenceCompareTo");
    }

    [Fact]
    public void Every_rpc_that_is_not_named_wants_the_right_to_everything()
    {
        Assert.Equal(new AccessRule(Right.Admin, OfCluster: true), AccessRule.Of("replicatedsqlite.v1.Admin", "AddedLater"));
        Assert.Equal(new AccessRule(Right.Admin, OfCluster: true), AccessRule.Of("replicatedsqlite.v1.Query", "AddedLater"));
        Assert.Equal(new AccessRule(Right.Admin, OfCluster: true), AccessRule.Of("replicatedsqlite.v1.Admin", "CreateToken"));
    }

    // The calls in a method's code, as the runtime would resolve them.
    private static List<MethodBase> Calls(MethodInfo method)
    {
        var code = method.GetMethodBody()!.GetILAsByteArray()!;
        var calls = new List<MethodBase>();
        for (var i = 0; i + 5 <= code.Length; i++)
        {
            if (code[i] != OpCodes.Call.Value && code[i] != OpCodes.Callvirt.Value)
            {
                continue;
            }

            try
            {
                calls.Add(method.Module.ResolveMethod(BitConverter.ToInt32(code, i + 1))!);
            }
            catch (Exception e) when (e is ArgumentException or BadImageFormatException)
            {
                // A byte of an operand that looks like a call.
            }
        }

        return calls;
    }

    private static TokenRecord Record(TokenText token) =>
        new() { Id = token.Id, Name = "n", Right = Right.Read, SecretHash = token.SecretHash, CreatedAt = DateTimeOffset.UnixEpoch };
}
