using System.Buffers;
using BenchmarkDotNet.Attributes;
using CdnEdge.Delivery.Guard;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>
/// What the flood guard's counting takes of a read of HTTP/2: frames scanned, budget filled and spent. Without the calls of the pipe
/// that it wraps, which the guard adds to each read and write.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class Http2FloodGuardBenchmarks
{
    private readonly Http2Budget _budget = new(TimeProvider.System);
    private Http2FrameScan _scan = new();
    private ReadOnlySequence<byte> _read;

    /// <summary>HEADERS frames in one read.</summary>
    [Params(1, 10)]
    public int Requests { get; set; }

    /// <summary>Makes a read of some requests, each as long as a visitor's whose fields HPACK knows already.</summary>
    [GlobalSetup]
    public void MakeRead()
    {
        const int BlockLength = 40;
        byte[] headers = [0, 0, BlockLength, 1, 5, 0, 0, 0, 1, .. new byte[BlockLength]];
        _read = new ReadOnlySequence<byte>(Enumerable.Repeat(headers, Requests).SelectMany(static frame => frame).ToArray());
        _scan.Scan(new ReadOnlySequence<byte>("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray()));
        Count();
        if (_scan.Requests != Requests || _scan.Overhead != 0)
        {
            throw new InvalidOperationException($"{_scan.Requests} requests and {_scan.Overhead} other frames seen in a read of {Requests} requests.");
        }
    }

    [Benchmark]
    public bool Count()
    {
        _scan.Scan(_read);
        _budget.Fill(_scan.Requests);
        _budget.Spend(_scan.Overhead);
        _budget.SpendResets(_scan.Resets);
        _budget.Sent(1024 * Requests);
        return _budget.IsExhausted;
    }
}
