using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>As much of MySQL's wire protocol as the comparison with MariaDB needs: a login with a password, and queries as text. One query at a time.</summary>
/// <remarks>The package feed has no client for it.</remarks>
internal sealed class MySqlWire : IAsyncDisposable
{
    private const uint Capabilities = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000; // long passwords, a database, protocol 4.1, transactions, SHA-1 logins, named plugins
    private const int HeadBytes = 4;
    private const byte Query = 3;

    private readonly NetworkStream _stream;
    private byte[] _buffer = new byte[16 * 1024];
    private byte _sequence;

    private MySqlWire(NetworkStream stream) => _stream = stream;

    /// <summary>The id that the last insert made.</summary>
    public long LastInsertId { get; private set; }

    /// <exception cref="BenchException">The login was refused.</exception>
    public static async Task<MySqlWire> OpenAsync(int port, string user, string password, string database)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var wire = new MySqlWire(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await wire.SendAsync(Login(await wire.ReadAsync(), user, password, database));
            Check((await wire.ReadAsync()).Span);
            return wire;
        }
        catch
        {
            await wire.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs one statement.</summary>
    /// <returns>The first column of the first row as text; <see langword="null"/>: there is no row.</returns>
    public async Task<string?> ExecuteAsync(string sql)
    {
        var body = new byte[Encoding.UTF8.GetByteCount(sql) + 1];
        body[0] = Query;
        Encoding.UTF8.GetBytes(sql, body.AsSpan(1));
        _sequence = 0;
        await SendAsync(body);
        var first = await ReadAsync();
        Check(first.Span);
        if (first.Span[0] == 0)
        {
            var at = 1;
            _ = ReadLength(first.Span, ref at); // rows that were changed
            LastInsertId = ReadLength(first.Span, ref at);
            return null;
        }

        for (var columns = first.Span[0]; columns > 0; columns--)
        {
            await ReadAsync(); // its definition
        }

        await ReadAsync(); // their end
        string? found = null;
        for (var row = await ReadAsync(); !IsEnd(row.Span); row = await ReadAsync())
        {
            found ??= TextOf(row.Span);
        }

        return found;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private static byte[] Login(ReadOnlyMemory<byte> greeting, string user, string password, string database)
    {
        var at = 1 + greeting.Span[1..].IndexOf((byte)0) + 1 + 4; // version, its text, the connection's number
        var salt = new byte[20];
        greeting.Span.Slice(at, 8).CopyTo(salt);
        at += 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10; // filler, capabilities, character set, state, capabilities, length of the salt, nothing
        greeting.Span.Slice(at, 12).CopyTo(salt.AsSpan(8));
        using var login = new MemoryStream();
        Span<byte> head = stackalloc byte[32];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Capabilities);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], 16 << 20);
        head[8] = 45; // utf8mb4
        login.Write(head);
        login.Write(Encoding.UTF8.GetBytes($"{user}\0"));
        login.WriteByte(20);
        login.Write(Scramble(password, salt));
        login.Write(Encoding.UTF8.GetBytes($"{database}\0mysql_native_password\0"));
        return login.ToArray();
    }

#pragma warning disable CA5350 // the protocol says SHA-1
    private static byte[] Scramble(string password, byte[] salt)
    {
        var once = SHA1.HashData(Encoding.UTF8.GetBytes(password));
        var twice = SHA1.HashData([.. salt, .. SHA1.HashData(once)]);
        return [.. once.Zip(twice, static (left, right) => (byte)(left ^ right))];
    }
#pragma warning restore CA5350

    private static bool IsEnd(ReadOnlySpan<byte> packet)
    {
        Check(packet);
        return packet[0] == 0xfe && packet.Length < 9;
    }

    private static void Check(ReadOnlySpan<byte> packet)
    {
        if (packet[0] == 0xff)
        {
            throw new BenchException($"MariaDB refused: {Encoding.UTF8.GetString(packet[3..])}");
        }
    }

    private static string? TextOf(ReadOnlySpan<byte> row)
    {
        const byte Null = 0xfb;
        if (row[0] == Null)
        {
            return null;
        }

        var at = 0;
        var length = (int)ReadLength(row, ref at);
        return Encoding.UTF8.GetString(row.Slice(at, length));
    }

    private static long ReadLength(ReadOnlySpan<byte> bytes, ref int at)
    {
        var first = bytes[at++];
        var size = first switch { 0xfc => 2, 0xfd => 3, 0xfe => 8, _ => 0 };
        long value = size == 0 ? first : 0;
        for (var i = 0; i < size; i++)
        {
            value |= (long)bytes[at++] << (8 * i);
        }

        return value;
    }

    private async Task SendAsync(byte[] body)
    {
        var packet = new byte[HeadBytes + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(packet, body.Length);
        packet[3] = _sequence++;
        body.CopyTo(packet, HeadBytes);
        await _stream.WriteAsync(packet);
    }

    private int _have;
    private int _at;

    private async Task<ReadOnlyMemory<byte>> ReadAsync()
    {
        await NeedAsync(HeadBytes);
        var length = _buffer[_at] | (_buffer[_at + 1] << 8) | (_buffer[_at + 2] << 16);
        _sequence = (byte)(_buffer[_at + 3] + 1);
        await NeedAsync(HeadBytes + length);
        var packet = _buffer.AsMemory(_at + HeadBytes, length);
        _at += HeadBytes + length;
        return packet;
    }

    // Packets stay where they are until more has to be read, and no caller keeps one that long.
    private async Task NeedAsync(int bytes)
    {
        if (_have - _at >= bytes)
        {
            return;
        }

        _buffer.AsSpan(_at, _have - _at).CopyTo(_buffer);
        (_have, _at) = (_have - _at, 0);
        if (bytes > _buffer.Length)
        {
            Array.Resize(ref _buffer, bytes);
        }

        while (_have < bytes)
        {
            var read = await _stream.ReadAsync(_buffer.AsMemory(_have));
            _have += read > 0 ? read : throw new BenchException("MariaDB closed the connection.");
        }
    }
}
