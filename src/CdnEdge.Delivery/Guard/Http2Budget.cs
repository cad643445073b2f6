namespace CdnEdge.Delivery.Guard;

/// <summary>
/// What one HTTP/2 connection may ask of this node that brings neither a request nor a body: PINGs, SETTINGS, PRIORITY, empty
/// frames, resets. A bucket of tokens that fills by time and by what such frames rightly belong to: requests, and bytes
/// that were sent. Kestrel counts none of them (CVE-2019-9512, -9513, -9515, -9517, -9518), and of requests that are
/// taken back only what it can't clean up in time (CVE-2023-44487, CVE-2025-8671).
/// </summary>
internal sealed class Http2Budget(TimeProvider time)
{
    /// <summary>Frames in a burst: a browser that leaves a page sends a hundred, a busy one not a thousand.</summary>
    internal const int Capacity = 10_000;

    /// <summary>Frames a second without any other traffic.</summary>
    internal const int PerSecond = 1_000;

    /// <summary>Frames that come with a request: window updates, a reset.</summary>
    internal const int PerRequest = 4;

    /// <summary>Bytes sent for which a client may send one frame: the most eager update two windows per DATA frame.</summary>
    internal const int BytesPerFrame = 2_048;

    /// <summary>
    /// A request that the client resets costs more than a frame, for upstream may have been asked already: so much that no more than
    /// 160 can be reset in a burst, beyond a page's hundred that a browser leaves at once. From 200 on that it hasn't cleaned up
    /// behind, Kestrel loses track of streams, and of the connection for good (aspnetcore #51307).
    /// </summary>
    internal const int PerReset = 62;

    /// <summary>A request that the client makes the server break off, by an error of its own, costs about as much.</summary>
    internal const int PerAbortedRequest = 40;

    private long _tokens = Capacity;
    private long _filled = time.GetTimestamp();
    private long _sent;
    private int _resets;

    /// <summary>More was asked than is given: the connection is to be ended.</summary>
    internal bool IsExhausted => Volatile.Read(ref _tokens) < 0;

    internal void Spend(int tokens) => Interlocked.Add(ref _tokens, -tokens);

    /// <summary>Spends what the client's resets cost.</summary>
    internal void SpendResets(int resets)
    {
        if (resets == 0)
        {
            return;
        }

        Interlocked.Add(ref _resets, resets);
        Spend(resets * PerReset);
    }

    /// <summary>Spends what a request costs that has come to nothing, unless its reset was paid for.</summary>
    internal void SpendAborted()
    {
        if (Interlocked.Decrement(ref _resets) < 0)
        {
            Interlocked.Increment(ref _resets);
            Spend(PerAbortedRequest);
        }
    }

    /// <summary>Fills it by the time that has gone by and by the bytes sent since it was last called; by one reader at a time.</summary>
    internal void Fill(int requests)
    {
        var now = time.GetTimestamp();
        var elapsed = time.GetElapsedTime(_filled, now);
        var (frames, rest) = Math.DivRem(Interlocked.Exchange(ref _sent, 0), BytesPerFrame);
        Interlocked.Add(ref _sent, rest);
        var earned = (long)(elapsed.TotalSeconds * PerSecond) + (requests * PerRequest) + frames;
        if (earned == 0)
        {
            return;
        }

        _filled = now;
        var full = Interlocked.Add(ref _tokens, earned) - Capacity;
        if (full > 0)
        {
            Interlocked.Add(ref _tokens, -full);
        }
    }

    internal void Sent(int bytes) => Interlocked.Add(ref _sent, bytes);
}
