using System.Collections.Concurrent;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.ResponseCompression;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>An application's own provider: it halves what it gets by leaving out each second byte, when the test lets it.</summary>
internal sealed class GatedProvider(string coding = "br") : ICompressionProvider
{
    private readonly TaskCompletionSource _gate = new();
    private readonly ConcurrentQueue<int> _begun = new();

    public string EncodingName => coding;

    public bool SupportsFlush => true;

    /// <summary>How many bodies it was given.</summary>
    internal int Begun => _begun.Count;

    /// <summary>What it does with a body's first bytes.</summary>
    internal Action OnWrite { get; set; } = () => { };

    internal void Open() => _gate.TrySetResult();

    public Stream CreateStream(Stream outputStream)
    {
        _begun.Enqueue(0);
        return new Halving(outputStream, this);
    }

    private sealed class Halving(Stream output, GatedProvider provider) : WriteOnlyStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (!provider._gate.Task.Wait(TimeSpan.FromSeconds(30)))
                throw new TimeoutException("The test never opened the gate.");
            provider.OnWrite();
            for (var i = 0; i < count; i += 2)
                output.WriteByte(buffer[offset + i]);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }
    }
}
