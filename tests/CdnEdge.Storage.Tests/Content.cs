namespace CdnEdge.Storage.Tests;

/// <summary>Bytes that tell where they belong: byte i of the content with a seed is a function of both.</summary>
internal static class Content
{
    internal static byte At(long offset, int seed) => (byte)(((offset * 2654435761) + (seed * 40503L)) >> 7);

    internal static byte[] Of(int length, int seed, long from = 0)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = At(from + i, seed);
        return bytes;
    }

    internal static GrowingBody Body(SegmentArena arena, byte[] bytes, bool lengthKnown = true)
    {
        var body = GrowingBody.Create(arena, lengthKnown ? bytes.Length : null);
        body.Append(bytes);
        body.Seal();
        return body;
    }

    internal static byte[] ReadAll(StoredBody body, long from, long to, int max = int.MaxValue)
    {
        var bytes = new List<byte>();
        while (from < to)
        {
            var run = body.Read(from, (int)Math.Min(max, to - from));
            if (run.IsEmpty)
                break;
            bytes.AddRange(run.Span);
            from += run.Length;
        }

        return [.. bytes];
    }
}
