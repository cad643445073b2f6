namespace CdnEdge.Storage;

/// <summary>A run of units in one slab, handed out by <see cref="SegmentArena"/> and given back to it whole or from its end.</summary>
internal readonly struct Segment
{
    private readonly Slab _slab;
    private readonly ushort _firstUnit;
    private readonly ushort _units;

    internal Segment(Slab slab, int firstUnit, int units)
    {
        _slab = slab;
        _firstUnit = (ushort)firstUnit;
        _units = (ushort)units;
    }

    internal Slab Slab => _slab;
    internal int FirstUnit => _firstUnit;
    internal int Units => _units;

    /// <summary>Length in bytes.</summary>
    internal int Length => _units * Slab.UnitBytes;

    internal Memory<byte> Memory => _slab.Slice(_firstUnit * Slab.UnitBytes, Length);

    /// <summary><paramref name="length"/> bytes from <paramref name="offset"/>.</summary>
    internal Memory<byte> Slice(int offset, int length) => _slab.Slice((_firstUnit * Slab.UnitBytes) + offset, length);
}
