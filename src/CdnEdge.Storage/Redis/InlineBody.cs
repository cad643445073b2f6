namespace CdnEdge.Storage.Redis;

/// <summary>A body that came with its record.</summary>
internal sealed class InlineBody(ReadOnlyMemory<byte> bytes) : ITierBody
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public long Length { get; } = bytes.Length;

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellation)
    {
        var all = _rest;
        _rest = default;
        return new(all);
    }

    public ValueTask DisposeAsync() => default;
}
