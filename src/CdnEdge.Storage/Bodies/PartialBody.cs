using System.Collections.ObjectModel;
using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>Parts of a representation, from 206 responses with the same strong validator (RFC 9111 §3.4).</summary>
/// <remarks>
/// Immutable: <see cref="With"/> makes another that shares the parts. Each piece is a run of the representation served from one of the
/// bodies and holds one reference to it; a body that a newer one cuts in two is held twice. The pieces are sorted and never overlap.
/// </remarks>
internal sealed class PartialBody : StoredBody
{
    /// <summary>Most pieces kept: a client asking for single bytes must not make an endless list. The shortest goes.</summary>
    internal const int MaxPieces = 128;

    private readonly Piece[] _pieces;
    private readonly ReadOnlyCollection<ByteRange> _held;
    private readonly long _length;

    private PartialBody(Piece[] pieces, long? completeLength)
    {
        _pieces = pieces;
        _length = completeLength ?? -1;
        _held = Coalesce(pieces);
        IsComplete = _length == 0 || (_held.Count == 1 && _held[0].Offset == 0 && _held[0].Length == _length);
        OccupiedBytes = DistinctBodies(pieces).Sum(static body => body.OccupiedBytes);
        ManagedBytes = ManagedSize.PartialBody
            + ManagedSize.Array(pieces.Length, ManagedSize.PartialPiece)
            + ManagedSize.Array(_held.Count, ManagedSize.ByteRange)
            + DistinctBodies(pieces).Sum(static body => body.ManagedBytes);
    }

    /// <summary>Takes over a reference to <paramref name="bytes"/> (sealed), which are the representation's <paramref name="range"/>.</summary>
    /// <remarks>Bytes beyond the range or the complete length aren't served; a range of which fewer bytes came counts for those.</remarks>
    internal static PartialBody Create(ByteRange range, long? completeLength, GrowingBody bytes) =>
        Build([], range, completeLength, bytes);

    /// <summary>A body with these parts and one more; overlaps are served from the newer. Takes over the reference to <paramref name="bytes"/>, acquires the old parts for itself.</summary>
    /// <remarks>The caller holds a reference to this one. A complete length of null leaves the known one.</remarks>
    internal PartialBody With(ByteRange range, long? completeLength, GrowingBody bytes) =>
        Build(_pieces, range, completeLength ?? (_length >= 0 ? _length : null), bytes);

    /// <summary>Length of the whole representation; -1 while no response has told.</summary>
    internal override long Length => _length;

    /// <summary>Every byte is here.</summary>
    internal bool IsComplete { get; }

    /// <summary>The held ranges, sorted, coalesced.</summary>
    internal IReadOnlyList<ByteRange> Held => _held;

    /// <inheritdoc/>
    internal override bool Covers(ByteRange range)
    {
        foreach (var held in _held)
        {
            if (range.Offset >= held.Offset && range.End <= held.End)
                return true;
        }

        return false;
    }

    /// <inheritdoc/>
    internal override ReadOnlyMemory<byte> Read(long offset, int max)
    {
        var low = 0;
        var high = _pieces.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            ref readonly var piece = ref _pieces[middle];
            if (offset < piece.Start)
                high = middle - 1;
            else if (offset >= piece.End)
                low = middle + 1;
            else
                return piece.Body.Read(offset - piece.BodyStart, (int)Math.Min(max, piece.End - offset));
        }

        return default;
    }

    /// <inheritdoc/>
    internal override long OccupiedBytes { get; }

    /// <inheritdoc/>
    internal override int ManagedBytes { get; }

    /// <inheritdoc/>
    internal override bool IsInMarkedSlab() => Array.Exists(_pieces, static piece => piece.Body.IsInMarkedSlab());

    /// <inheritdoc/>
    protected override void Free()
    {
        foreach (var piece in _pieces)
            piece.Body.Release();
    }

    private static PartialBody Build(Piece[] old, ByteRange range, long? completeLength, GrowingBody bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(range.Offset, nameof(range));
        var limit = completeLength ?? long.MaxValue;
        var added = new Piece(range.Offset, Math.Min(Math.Min(range.End, range.Offset + bytes.Length), limit), bytes, range.Offset);

        // The old pieces are what they were, less what the new one covers and what lies beyond the end.
        var pieces = new List<Piece>(old.Length + 2);
        foreach (var piece in old)
        {
            Add(pieces, piece with { End = Math.Min(Math.Min(piece.End, limit), added.Start) });
            Add(pieces, piece with { Start = Math.Max(piece.Start, added.End), End = Math.Min(piece.End, limit) });
        }

        if (added.End <= added.Start)
            pieces = [.. old.Select(piece => piece with { End = Math.Min(piece.End, limit) }).Where(static piece => piece.End > piece.Start)];
        while (pieces.Count >= MaxPieces)
            pieces.Remove(pieces.MinBy(static piece => piece.End - piece.Start));
        foreach (var piece in pieces)
        {
            if (!piece.Body.TryAcquire())
                throw new InvalidOperationException("A part was freed: the caller must hold a reference to the body it extends.");
        }

        if (added.End > added.Start)
            pieces.Add(added);
        pieces.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        var body = new PartialBody([.. pieces], completeLength);
        if (added.End <= added.Start)
            bytes.Release();
        return body;
    }

    private static void Add(List<Piece> pieces, Piece piece)
    {
        if (piece.End > piece.Start)
            pieces.Add(piece);
    }

    private static ReadOnlyCollection<ByteRange> Coalesce(Piece[] pieces)
    {
        var held = new List<ByteRange>(pieces.Length);
        foreach (var piece in pieces)
        {
            if (held.Count > 0 && held[^1].End == piece.Start)
                held[^1] = new ByteRange(held[^1].Offset, piece.End - held[^1].Offset);
            else
                held.Add(new ByteRange(piece.Start, piece.End - piece.Start));
        }

        return Array.AsReadOnly(held.ToArray());
    }

    private static IEnumerable<GrowingBody> DistinctBodies(Piece[] pieces) =>
        pieces.Select(static piece => piece.Body).Distinct();

    /// <param name="Start">First byte of the representation that this piece serves.</param>
    /// <param name="End">The byte after its last.</param>
    /// <param name="Body">Where they are.</param>
    /// <param name="BodyStart">The representation's byte that is the body's first.</param>
    private readonly record struct Piece(long Start, long End, GrowingBody Body, long BodyStart);
}
