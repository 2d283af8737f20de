using System.Net.Sockets;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Connections that break: each after a random number of bytes sent, or of bytes received, while cutting is on.</summary>
/// <remarks>So requests are lost in the middle, and replies in the middle or whole, after the request got through.</remarks>
internal sealed class CuttingNetwork(int seed, int mostBytes)
{
    private readonly Random _random = new(seed);
    private readonly Lock _gate = new();
    private int _cuts;
    private int _lostReplies;

    /// <summary>Whether connections break. Off at first.</summary>
    public volatile bool Cuts;

    /// <summary>Connections that were cut.</summary>
    public int Count => Volatile.Read(ref _cuts);

    /// <summary>Of them, those where a reply was on its way.</summary>
    public int LostReplies => Volatile.Read(ref _lostReplies);

    public void Configure(SocketsHttpHandler handler) => handler.ConnectCallback = async (context, cancellationToken) =>
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new CuttingStream(this, new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    };

    private int Budget()
    {
        lock (_gate)
        {
            return _random.Next(mostBytes);
        }
    }

    private bool CutsReplies()
    {
        lock (_gate)
        {
            return _random.Next(4) != 0;
        }
    }

    private sealed class CuttingStream(CuttingNetwork network, NetworkStream inner) : Stream
    {
        private readonly bool _cutsReplies = network.CutsReplies();
        private int _budget = network.Budget(); // bytes until the cut, in the direction that is cut

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            if (_cutsReplies && read > 0 && Interlocked.Add(ref _budget, -read) < 0 && network.Cuts)
            {
                Interlocked.Increment(ref network._lostReplies);
                throw Cut();
            }

            return read;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_cutsReplies && Interlocked.Add(ref _budget, -buffer.Length) < 0 && network.Cuts)
            {
                await inner.WriteAsync(buffer[..(buffer.Length / 2)], cancellationToken);
                throw Cut();
            }

            await inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }

        private IOException Cut()
        {
            Interlocked.Increment(ref network._cuts);
            inner.Socket.LingerState = new LingerOption(enable: true, seconds: 0); // a reset, as from a middlebox that forgot the connection
            inner.Dispose();
            return new IOException("The connection was cut.");
        }
    }
}
