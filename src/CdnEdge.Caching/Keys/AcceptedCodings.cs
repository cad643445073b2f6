using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// What an Accept-Encoding comes to (RFC 9110 §12.5.3): which codings are acceptable, and in which order of preference;
/// equal for fields that say the same. Four bits for each coding hold its rank, 0 for one that isn't acceptable, so
/// comparing two requests takes a few instructions and storing one takes four bytes.
/// </summary>
/// <param name="Ranks">Rank 15 is the best; codings of one rank are equally welcome.</param>
/// <param name="IsAbsent">
/// There was no field: ranked like an empty one, <c>identity</c> only, but a class of its own, since absent matches only
/// absent (RFC 9111 §4.1).
/// </param>
internal readonly record struct AcceptedCodings(uint Ranks, bool IsAbsent)
{
    /// <summary>Stands for a Content-Encoding that isn't one known coding.</summary>
    internal const int UnknownCoding = -1;

    private const int Identity = 0;
    private const int Codings = 8;
    private const int BitsEach = 4;
    private const int BestRank = 15;

    /// <summary>
    /// False for what these ranks can't express: codings that aren't known, <c>*</c>, a refused <c>identity</c>, one coding
    /// with two weights, malformed members. Such fields are compared as they are.
    /// </summary>
    internal static bool TryParse(StringValues lines, out AcceptedCodings accepted)
    {
        accepted = default;
        Span<int> weights = stackalloc int[Codings];
        weights.Fill(-1);
        var list = new WeightedList(lines);
        while (list.MoveNext())
        {
            var coding = IndexOf(list.Value);
            if (coding < 0 || (weights[coding] >= 0 && weights[coding] != list.Weight) || (coding == Identity && list.Weight == 0))
                return false;
            weights[coding] = list.Weight;
        }

        if (list.IsMalformed)
            return false;

        accepted = new AcceptedCodings(Rank(weights), lines.Count == 0);
        return true;
    }

    /// <summary>The coding that a Content-Encoding names, for <see cref="Selects"/>.</summary>
    internal static int CodingOf(StringValues contentEncoding) => contentEncoding.Count switch
    {
        0 => Identity,
        1 when contentEncoding[0].AsSpan().Trim(" \t") is { IsEmpty: false } value => IndexOf(value),
        1 => Identity,
        _ => UnknownCoding,
    };

    /// <summary>Whether it's what <see cref="CodingOf"/> may return.</summary>
    internal static bool IsCoding(int coding) => coding is >= UnknownCoding and < Codings;

    /// <summary>
    /// Whether an origin that chose <paramref name="coding"/> when offered these would choose it for
    /// <paramref name="other"/> as well: it's acceptable there, nothing is offered that wasn't here, and against each of
    /// the others it's at least as welcome as it was. (An origin whose choice depends on codings that it doesn't choose
    /// would be an odd one.)
    /// </summary>
    internal bool Selects(int coding, AcceptedCodings other)
    {
        if (coding == UnknownCoding || IsAbsent != other.IsAbsent || RankOf(other.Ranks, coding) == 0)
            return false;

        var ours = RankOf(Ranks, coding);
        var theirs = RankOf(other.Ranks, coding);
        for (var i = 0; i < Codings; i++)
        {
            var rival = RankOf(other.Ranks, i);
            if (rival == 0)
                continue;
            var rivalHere = RankOf(Ranks, i);
            if (rivalHere == 0 || theirs.CompareTo(rival) < ours.CompareTo(rivalHere))
                return false;
        }

        return true;
    }

    /// <summary>Gives the best weight rank 15, the next 14, and so on; where unnamed, identity comes last.</summary>
    private static uint Rank(ReadOnlySpan<int> weights)
    {
        uint ranks = 0;
        var rank = BestRank;
        for (var below = int.MaxValue; ; rank--)
        {
            var best = 0;
            foreach (var weight in weights)
            {
                if (weight < below)
                    best = Math.Max(best, weight);
            }

            if (best == 0)
                break;
            for (var i = 0; i < weights.Length; i++)
            {
                if (weights[i] == best)
                    ranks |= (uint)rank << (i * BitsEach);
            }

            below = best;
        }

        return RankOf(ranks, Identity) != 0 ? ranks : ranks | (uint)rank << (Identity * BitsEach);
    }

    private static uint RankOf(uint ranks, int coding) => (ranks >> (coding * BitsEach)) & BestRank;

    /// <summary>Position of a coding in the ranks; names are case-insensitive and x- ones are aliases (RFC 9110 §8.4.1).</summary>
    private static int IndexOf(ReadOnlySpan<char> coding)
    {
        Span<char> lower = stackalloc char[10];
        if (coding.Length > lower.Length)
            return UnknownCoding;

        return lower[..coding.ToLowerInvariant(lower)] switch
        {
            "identity" => Identity,
            "gzip" or "x-gzip" => 1,
            "br" => 2,
            "zstd" => 3,
            "deflate" => 4,
            "compress" or "x-compress" => 5,
            "dcb" => 6,
            "dcz" => 7,
            _ => UnknownCoding,
        };
    }
}
