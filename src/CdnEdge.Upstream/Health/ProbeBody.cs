namespace CdnEdge.Upstream.Health;

/// <summary>The beginning of a probe's body, in memory by the time that the policy looks at it.</summary>
internal static class ProbeBody
{
    /// <summary>Bytes that are looked at.</summary>
    internal const int MaxBytes = 64 * 1024;

    internal static async Task BufferAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var buffer = new byte[MaxBytes];
        var length = 0;
        await using (var stream = await response.Content.ReadAsStreamAsync(cancellation))
        {
            while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length), cancellation) is > 0 and var read)
                length += read;
        }

        response.Content = new ByteArrayContent(buffer, 0, length);
    }
}
